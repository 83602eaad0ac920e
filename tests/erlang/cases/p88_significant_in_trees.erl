%% A significant supervisor: its auto_shutdown ends it with shutdown, which ends the one above it in turn; the others stop.
-module(p88_significant_in_trees).
-compile([export_all, nowarn_export_all]).

st(Id, To) -> {ok, spawn_link(fun() -> process_flag(trap_exit, true), loop(Id, To) end)}.
loop(Id, To) -> receive {'EXIT', _, shutdown} -> To ! {stops, Id}, exit(shutdown); {die, R} -> To ! {ends, Id}, exit(R) end.
worker(Id, To, Significant) -> #{id => Id, start => {?MODULE, st, [Id, To]}, restart => transient, significant => Significant}.
init({inner, To}) ->
    {ok, {#{auto_shutdown => all_significant}, [worker(x, To, true), worker(y, To, true), worker(z, To, false)]}};
init({outer, To, Restart}) ->
    {ok, {#{auto_shutdown => any_significant},
          [#{id => inner, start => {supervisor, start_link, [?MODULE, {inner, To}]}, type => supervisor, restart => Restart, significant => true},
           worker(other, To, false)]}}.
child(S, Id) -> {_, P, _, _} = lists:keyfind(Id, 1, supervisor:which_children(S)), P.
mb() -> receive {'EXIT', _, R} -> [{exit, R} | mb()]; M -> [M | mb()] after 120 -> [] end.

main() ->
    process_flag(trap_exit, true),
    [begin
         {ok, S} = supervisor:start_link(?MODULE, {outer, self(), Restart}), I = child(S, inner),
         child(I, x) ! {die, normal}, t:o({Restart, mb(), is_process_alive(I)}),
         child(I, y) ! {die, normal}, t:o({Restart, mb(), is_process_alive(I), is_process_alive(S)})
     end || Restart <- [transient, temporary]].
