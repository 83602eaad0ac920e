%% exit(Pid, R): normal is ignored by others, any other R ends a non-trapping process with R; trapping ones get a message; kill cannot be trapped and shows as killed.
-module(p13_exit2_rules).
-compile([export_all, nowarn_export_all]).

go(Trap, R) ->
    {P, M} = spawn_monitor(fun() -> process_flag(trap_exit, Trap), receive {'EXIT', _, X} -> exit({got_message, X}) after 500 -> exit(lived) end end), t:s(),
    exit(P, R), receive {'DOWN', M, _, _, W} -> t:o({trap, Trap, sent, R, died_of, W}) end.
main() -> [go(T, R) || T <- [false, true], R <- [normal, shutdown, boom, kill, killed]].
