%% pg:monitor and monitor_scope: the members of now, then a message for each join and leave, the end of a process too; demonitor.
-module(p61_pg_monitor).
-compile([export_all, nowarn_export_all]).

shown(Ref, Name) -> t:s(), [t:o({Name, case M of {Ref, Kind, G, Pids} -> {Kind, G, length(Pids)}; Other -> Other end}) || M <- t:mb()].

main() ->
    {ok, _} = pg:start_link(s),
    A = t:pid(), B = t:pid(),
    ok = pg:join(s, g, A),
    {R, Members} = pg:monitor(s, g), t:o({length(Members), is_reference(R)}),
    ok = pg:join(s, g, [B, B]), shown(R, joined),
    ok = pg:leave(s, g, B), shown(R, left),
    ok = pg:join(s, other, A), shown(R, other),
    pg:leave(s, g, self()), shown(R, not_joined),
    A ! stop, shown(R, ended),
    t:o(pg:demonitor(s, R)), ok = pg:join(s, g, t:pid()), shown(R, off), t:o(pg:demonitor(s, R)),
    {Q, Map} = pg:monitor_scope(s), t:o(maps:map(fun(_, Pids) -> length(Pids) end, Map)),
    ok = pg:join(s, x, t:pid()), shown(Q, scope).
