%% Order across nodes: a thousand messages come as they were sent, and a monitor set after the last one.
-module(d04_order_across).
-export([main/0, count/1]).
main() ->
    N = t:peer(),
    P = spawn(N, ?MODULE, count, [0]), R = monitor(process, P),
    [P ! I || I <- lists:seq(0, 999)], P ! {how_many, self()},
    t:o(t:recv()), exit(P, enough), t:o(receive {'DOWN', R, process, P, Why} -> Why end),
    Q = spawn(N, ?MODULE, count, [0]), Q ! 0, Q ! 7, T = monitor(process, Q),
    t:o(receive {'DOWN', T, process, Q, Why2} -> Why2 end).
count(N) ->
    receive
        N -> count(N + 1);
        {how_many, From} -> From ! N, count(N);
        Other when is_integer(Other) -> receive after 100 -> exit({not_in_order, N, Other}) end
    end.
