%% ets:update_counter: a default for a key that is not there, negative and zero steps, what is no number, a bag; by other processes.
-module(p94_ets_counters).
-compile([export_all, nowarn_export_all]).

try_(F) -> try F() catch error:_ -> refused end.
main() ->
    T = ets:new(t, [public]),
    t:o(list_to_tuple([ets:update_counter(T, n, S, {n, 10}) || S <- [1, -3, 0, 100]])),
    t:o(try_(fun() -> ets:update_counter(T, other, 1) end)), t:o(ets:member(T, other)),
    ets:insert(T, {w, word}), t:o(try_(fun() -> ets:update_counter(T, w, 1) end)), t:o(ets:lookup(T, w)),
    Me = self(), [spawn(fun() -> [ets:update_counter(T, sum, 1, {sum, 0}) || _ <- lists:seq(1, 50)], Me ! done end) || _ <- [1, 2, 3]],
    [receive done -> ok end || _ <- [1, 2, 3]], t:o(ets:lookup(T, sum)),
    t:o(try_(fun() -> ets:update_counter(ets:new(b, [bag]), n, 1, {n, 0}) end)).
