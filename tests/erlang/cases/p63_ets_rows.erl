%% ets: insert, insert_new, lookup, member, take, delete, update_counter; a set keeps one object a key, a bag many, an ordered_set an order.
-module(p63_ets_rows).
-compile([export_all, nowarn_export_all]).

main() ->
    T = ets:new(t, []),
    t:o(ets:lookup(T, a)), t:o(ets:insert(T, {a, 1})), t:o(ets:lookup(T, a)),
    t:o(ets:insert(T, {a, 2})), t:o(ets:lookup(T, a)),
    t:o(ets:insert_new(T, {a, 3})), t:o(ets:insert_new(T, {b, 3})), t:o(ets:info(T, size)),
    t:o({ets:member(T, a), ets:member(T, c)}),
    t:o(ets:take(T, b)), t:o(ets:take(T, b)), t:o(ets:delete(T, a)), t:o(ets:delete(T, a)), t:o(ets:tab2list(T)),
    t:o(ets:update_counter(T, n, 5, {n, 0})), t:o(ets:update_counter(T, n, -2)),
    t:o(case catch ets:update_counter(T, nobody, 1) of {'EXIT', _} -> refused end),
    true = ets:delete_all_objects(T), t:o(ets:info(T, size)),
    O = ets:new(t, [ordered_set]), [ets:insert(O, {K, x}) || K <- [3, 1, 2]], t:o(ets:tab2list(O)),
    t:o({ets:first(O), ets:next(O, 1), ets:last(O), ets:next(O, 3)}),
    B = ets:new(t, [bag]), [ets:insert(B, {k, V}) || V <- [1, 2, 1]], t:o(ets:lookup(B, k)), t:o(ets:info(B, size)),
    t:o(ets:insert_new(B, {k, 9})), t:o(ets:delete(B, k)), t:o(ets:lookup(B, k)),
    t:o(ets:delete(T)), t:o(case catch ets:lookup(T, a) of {'EXIT', _} -> refused end).
