%% pg: a process joins a group as often as it likes, and leaves as often; one that ends is out of all its groups; empty groups are gone.
-module(p60_pg_groups).
-compile([export_all, nowarn_export_all]).

members(G) -> length(pg:get_members(s, G)).

main() ->
    {ok, _} = pg:start_link(s),
    A = t:pid(), B = t:pid(),
    t:o(pg:get_members(s, g)), t:o(pg:which_groups(s)),
    t:o(pg:join(s, g, A)), t:o(pg:join(s, g, A)), t:o(pg:join(s, g, [B, B])), t:o(members(g)),
    t:o(pg:leave(s, g, A)), t:o(members(g)), t:o(lists:member(A, pg:get_members(s, g))),
    t:o(pg:leave(s, g, A)), t:o(pg:leave(s, g, A)), t:o(pg:leave(s, other, A)), t:o(members(g)),
    t:o(pg:get_local_members(s, g) =:= pg:get_members(s, g)),
    ok = pg:join(s, h, B), t:o(lists:sort(pg:which_groups(s))),
    B ! stop, t:s(), t:o(members(g)), t:o(pg:which_groups(s)),
    ok = pg:join(s, {any, term}, A), t:o(pg:which_groups(s)),
    t:o(catch element(1, element(2, catch pg:join(nobody, g, A)))).
