%% A significant child: not permanent, and not under a supervisor whose auto_shutdown is never; at its start and in start_child.
-module(p54_significant_children).
-compile([export_all, nowarn_export_all]).

st() -> {ok, spawn_link(fun t:idle/0)}.
init({Auto, Children}) -> {ok, {#{auto_shutdown => Auto}, Children}}.
child(Restart) -> #{id => x, start => {?MODULE, st, []}, restart => Restart, significant => true}.
what({ok, P}) when is_pid(P) -> started;
what({error, _}) -> refused.

main() ->
    process_flag(trap_exit, true),
    [t:o({Auto, Restart, what(supervisor:start_link(?MODULE, {Auto, [child(Restart)]}))})
     || Auto <- [never, any_significant, all_significant], Restart <- [permanent, transient, temporary]],
    [begin {ok, S} = supervisor:start_link(?MODULE, {Auto, []}),
           t:o({Auto, start_child, what(supervisor:start_child(S, child(transient))), length(supervisor:which_children(S))}) end
     || Auto <- [never, any_significant]],
    t:o({sometimes, what(supervisor:start_link(?MODULE, {sometimes, []}))}).
