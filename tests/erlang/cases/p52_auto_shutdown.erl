%% auto_shutdown: which end of a significant child, and of which one, ends the supervisor; one that it stops itself does not.
-module(p52_auto_shutdown).
-compile([export_all, nowarn_export_all]).

st() -> {ok, spawn_link(fun t:idle/0)}.
init({Auto, Restart}) ->
    Child = fun(Id, How, Sig) -> #{id => Id, start => {?MODULE, st, []}, restart => How, significant => Sig} end,
    {ok, {#{auto_shutdown => Auto, intensity => 9}, [Child(a, Restart, true), Child(b, Restart, true), Child(plain, temporary, false)]}}.
pid(S, Id) -> hd([P || {I, P, _, _} <- supervisor:which_children(S), I =:= Id]).
ends(S, Id, Why) ->
    case is_process_alive(S) of
        true -> pid(S, Id) ! {die, Why}, t:s(), is_process_alive(S);
        false -> gone
    end.

main() ->
    process_flag(trap_exit, true),
    [begin
         {ok, S} = supervisor:start_link(?MODULE, {Auto, Restart}),
         t:o({Auto, Restart, Why, [ends(S, Id, Why) || Id <- [plain, a, b]]}), t:o(t:recv(30))
     end || Auto <- [any_significant, all_significant], Restart <- [transient, temporary], Why <- [normal, boom]],
    {ok, S} = supervisor:start_link(?MODULE, {any_significant, transient}),
    ok = supervisor:terminate_child(S, a), t:s(), t:o({terminated, is_process_alive(S)}),
    {ok, Z} = supervisor:start_link(?MODULE, {all_significant, transient}),
    ok = supervisor:terminate_child(Z, a), t:o({last_one, ends(Z, b, normal)}), t:o(t:recv(30)).
