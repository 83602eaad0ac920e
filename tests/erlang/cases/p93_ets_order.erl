%% ets, an ordered_set: first, next, prev and last, also from keys that are not there, and of an empty table; a bag's order.
-module(p93_ets_order).
-compile([export_all, nowarn_export_all]).

main() ->
    T = ets:new(t, [ordered_set]),
    t:o({ets:first(T), ets:last(T), ets:next(T, 1), ets:prev(T, 1)}),
    [ets:insert(T, {K, K * K}) || K <- [30, 10, 20]],
    t:o([ets:next(T, K) || K <- [5, 10, 15, 20, 30, 99]]),
    t:o([ets:prev(T, K) || K <- [5, 10, 15, 20, 30, 99]]),
    ets:delete(T, 20), t:o({ets:next(T, 10), ets:prev(T, 30), ets:next(T, 20)}),
    ets:insert(T, {10, again}), t:o({ets:tab2list(T), ets:info(T, size)}),
    t:o(ets:take(T, 10)), t:o(ets:tab2list(T)),
    B = ets:new(b, [bag]), [ets:insert(B, {k, V}) || V <- [c, a, b, a]],
    t:o(ets:lookup(B, k)), t:o(ets:take(B, k)), t:o(ets:member(B, k)).
