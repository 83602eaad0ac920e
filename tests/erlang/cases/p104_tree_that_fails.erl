%% A supervisor one of whose children does not start: those before it stop, the last one first; nothing of it is left.
-module(p104_tree_that_fails).
-compile([export_all, nowarn_export_all]).

st(Id, To) ->
    Me = self(),
    P = spawn_link(fun() -> register(Id, self()), process_flag(trap_exit, true), To ! {starts, Id}, Me ! {up, self()}, receive {'EXIT', _, R} -> To ! {stops, Id, R}, exit(R) end end),
    receive {up, P} -> {ok, P} end.
bad(To) -> To ! fails, {error, no_disk}.
init({fails, To}) -> {ok, {#{}, [child(a, To), child(b, To), #{id => c, start => {?MODULE, bad, [To]}}, child(d, To)]}};
init({outer, To}) -> {ok, {#{}, [child(first, To), #{id => inner, start => {supervisor, start_link, [?MODULE, {fails, To}]}, type => supervisor}]}}.
child(Id, To) -> #{id => Id, start => {?MODULE, st, [Id, To]}}.
mb() -> receive {'EXIT', _, R} -> [{exit, if is_atom(R) -> R; true -> element(1, R) end} | mb()]; M -> [M | mb()] after 120 -> [] end.

main() ->
    process_flag(trap_exit, true),
    [begin
         t:o({How, element(1, supervisor:start_link({local, x104}, ?MODULE, {How, self()}))}),
         t:o([M || M <- mb(), M =:= fails orelse element(1, M) =/= exit]), t:o([whereis(N) || N <- [x104, a, b, first]])
     end || How <- [fails, outer]].
