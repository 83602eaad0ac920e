%% Monitors across nodes: reasons, a dead process, a name, two monitors, demonitor.
-module(d02_monitors_across).
-export([main/0]).
main() ->
    N = t:peer(),
    P = t:spawn_on(N), R1 = monitor(process, P), R2 = monitor(process, P),
    P ! {die, boom}, t:o(down(R1, P)), t:o(down(R2, P)),
    R3 = monitor(process, P), t:o(down(R3, P)),
    R4 = monitor(process, {nobody, N}), t:o(receive {'DOWN', R4, process, {nobody, N}, W4} -> W4 end),
    Q = t:spawn_on(N), R5 = monitor(process, Q), demonitor(R5), exit(Q, kill), t:o(t:recv(200)),
    S = t:spawn_on(N), R6 = monitor(process, S), exit(S, kill), t:o(down(R6, S)),
    T = t:spawn_on(N), R7 = monitor(process, T), T ! stop, t:o(down(R7, T)).
down(R, P) -> receive {'DOWN', R, process, P, Why} -> Why end.
