%% Who is started again when one of three children ends: by one_for_one, one_for_all and rest_for_one; in which order they stop and start.
-module(p75_supervisor_strategies).
-compile([export_all, nowarn_export_all]).

st(Id, To) -> {ok, spawn_link(fun() -> process_flag(trap_exit, true), To ! {starts, Id}, loop(Id, To) end)}.
loop(Id, To) -> receive {'EXIT', _, shutdown} -> To ! {stops, Id}, exit(shutdown); {die, R} -> exit(R) end.
init({Strategy, To}) -> {ok, {#{strategy => Strategy, intensity => 9}, [#{id => Id, start => {?MODULE, st, [Id, To]}} || Id <- [a, b, c]]}}.
mb() -> receive M -> [M | mb()] after 120 -> [] end.

main() ->
    [begin
         {ok, S} = supervisor:start_link(?MODULE, {Strategy, self()}), t:o({Strategy, mb()}),
         [B] = [P || {b, P, _, _} <- supervisor:which_children(S)], B ! {die, boom}, t:o(mb()),
         unlink(S), exit(S, shutdown), t:o(mb())
     end || Strategy <- [one_for_one, one_for_all, rest_for_one]].
