%% A node that is gone: link, monitor by pid and by name, monitor_node and a call in flight hear of it once.
-module(d03_noconnection).
-export([main/0]).
main() ->
    process_flag(trap_exit, true),
    N = t:peer(), Me = self(),
    P = t:spawn_on(N), Q = t:spawn_on(N), link(P), R1 = monitor(process, Q), R2 = monitor(process, {net_kernel, N}),
    spawn(fun() -> Me ! {caller, catch gen_server:call(P, hello, infinity)} end),
    t:s(), t:gone(N),
    t:o(receive {'EXIT', P, W0} -> {exit, W0} end),
    t:o(receive {'DOWN', R1, process, Q, W1} -> {down, W1} end),
    t:o(receive {'DOWN', R2, process, {net_kernel, N}, W2} -> {down, W2} end),
    t:o(receive {caller, {'EXIT', {{nodedown, N}, _}}} -> {caller, nodedown} end),
    t:o(t:recv(200)),
    R3 = monitor(process, P), t:o(receive {'DOWN', R3, process, P, W3} -> {down, W3} end),
    link(P), t:o(receive {'EXIT', P, W4} -> {exit, W4} end),
    t:o(case catch gen_server:call(P, hello) of {'EXIT', {{nodedown, N}, _}} -> {caller, nodedown} end),
    t:o(P ! dropped),
    monitor_node(N, true), t:o(receive {nodedown, N} -> nodedown end),
    t:o(lists:member(N, nodes())).
