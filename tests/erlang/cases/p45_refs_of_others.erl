%% demonitor and unalias of a ref that is not the caller's, or of another kind, change nothing; of what is not a ref they are errors.
-module(p45_refs_of_others).
-compile([export_all, nowarn_export_all]).

main() ->
    P = t:pid(), Me = self(),
    Q = spawn(fun() -> M = monitor(process, P), A = alias(), Me ! {M, A}, [Me ! {got, t:recv()} || _ <- [1, 2]] end),
    {M, A} = t:recv(),
    t:o(demonitor(M, [info])), t:o(demonitor(A, [info, flush])), t:o(demonitor(make_ref(), [info])), t:o(unalias(A)), t:o(unalias(make_ref())),
    A ! through, t:o(t:recv()), P ! {die, x}, t:o(case t:recv() of {got, {'DOWN', M, process, P, W}} -> {down, W} end),
    B = alias(), t:o(demonitor(B, [info])), B ! open, t:o(t:recv()), t:o(unalias(B)),
    R = t:pid(), N = monitor(process, R), t:o(unalias(N)), R ! {die, y}, t:o(case t:recv() of {'DOWN', N, process, R, V} -> {down, V} end),
    t:o(demonitor(N, [info])), [t:o(try F(X) of Y -> Y catch C:E -> {C, E} end) || F <- [fun erlang:demonitor/1, fun erlang:unalias/1], X <- [17, none]],
    t:o(is_process_alive(Q)).
