%% monitors: several of one process, one of oneself, of a name that is given on; demonitor with flush and info; DOWN after EXIT.
-module(p98_monitors).
-compile([export_all, nowarn_export_all]).

name(M) -> receive {'DOWN', M, process, What, R} -> {case What of {N, _} when is_atom(N) -> N; P when is_pid(P) -> pid end, R} after 200 -> nothing end.
main() ->
    P = t:pid(), [A, B, C] = [monitor(process, P) || _ <- [1, 2, 3]],
    t:o(demonitor(B)), P ! {die, boom}, t:s(),
    t:o(name(A)), t:o(name(B)), t:o(demonitor(C, [flush])), t:o(name(C)), t:o(demonitor(C, [flush, info])),
    t:o(is_reference(monitor(process, self()))),
    Q = t:pid(), register(x98, Q), N = monitor(process, x98), unregister(x98), register(x98, t:pid()), Q ! stop, t:o(name(N)),
    x98 ! stop, t:s(), t:o(name(monitor(process, x98))),
    process_flag(trap_exit, true), R = spawn_link(fun t:idle/0), M = monitor(process, R), R ! {die, both},
    t:o(t:recv()), t:o(name(M)),
    t:o([demonitor(monitor(process, t:pid()), [info]), demonitor(make_ref(), [info])]).
