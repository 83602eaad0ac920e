%% process_flag(trap_exit): the value before; a child does not inherit it; what comes when it is turned on or off in between.
-module(p97_process_flags).
-compile([export_all, nowarn_export_all]).

main() ->
    t:o([process_flag(trap_exit, V) || V <- [true, true, false, true]]),
    Me = self(), spawn(fun() -> Me ! {child, process_info(self(), trap_exit)} end), t:o(t:recv()),
    t:o(try process_flag(trap_exit, maybe_) catch error:E -> E end),
    t:o(process_info(self(), trap_exit)),
    P = spawn_link(fun t:idle/0), P ! stop, t:o(case t:recv() of {'EXIT', P, R} -> {exit, R} end),
    process_flag(trap_exit, false), Q = spawn_link(fun t:idle/0), Q ! stop, t:o(t:recv(20)),
    process_flag(trap_exit, true), exit(self(), normal), t:o(case t:recv() of {'EXIT', Me, S} -> {exit, S} end),
    W = spawn_link(fun t:idle/0), unlink(W), W ! {die, boom}, t:o(t:recv(20)),
    X = spawn_link(fun t:idle/0), exit(X, normal), t:s(10), t:o(is_process_alive(X)), exit(X, shutdown), t:o(case t:recv() of {'EXIT', X, U} -> {exit, U} end).
