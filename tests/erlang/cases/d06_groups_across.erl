%% Process groups across nodes: members of both, the local ones, one that leaves, a node that is gone.
-module(d06_groups_across).
-export([main/0]).
main() ->
    N = t:peer(), pg:start(pg), erpc:call(N, t, peer_pg, []),
    P = t:pid(), Q = t:spawn_on(N), S = t:spawn_on(N),
    pg:join(g, P), t:s(), erpc:call(N, pg, join, [g, [Q, S]]), t:s(),
    t:o(length(pg:get_members(g))), t:o(pg:get_local_members(g) =:= [P]),
    t:o(length(erpc:call(N, pg, get_local_members, [g]))),
    t:o(catch element(1, element(2, catch pg:join(g, Q)))),
    Q ! stop, t:s(), t:o(length(pg:get_members(g))),
    {_, Members} = pg:monitor(g), t:o(length(Members)),
    t:gone(N),
    t:o(receive {_, leave, g, [S]} -> left end),
    t:o(pg:get_members(g) =:= [P]),
    t:o(pg:which_groups()).
