%% Links across nodes: an exit reason, kill, a dead process, unlink, normal.
-module(d01_links_across).
-export([main/0]).
main() ->
    process_flag(trap_exit, true),
    N = t:peer(),
    P = t:spawn_on(N), link(P), P ! {die, boom}, t:o(t:recv()),
    link(P), t:o(t:recv()),
    Q = t:spawn_on(N), link(Q), exit(Q, kill), t:o(t:recv()),
    R = t:spawn_on(N), link(R), unlink(R), exit(R, enough), t:o(t:recv(200)),
    S = t:spawn_on(N), link(S), exit(S, normal), S ! stop, t:o(t:recv()),
    T = t:spawn_on(N), link(T), link(T), T ! {die, once}, t:o(t:recv()), t:o(t:recv(200)).
