%% ets: a named table is found by its name from anywhere; a name twice is refused; it is free once the table is gone.
-module(p67_ets_names).
-compile([export_all, nowarn_export_all]).

main() ->
    t:o(ets:new(shelf, [named_table])), ets:insert(shelf, {a, 1}), Me = self(),
    spawn(fun() -> Me ! ets:lookup(shelf, a) end), t:o(t:recv()),
    t:o(case catch ets:new(shelf, [named_table]) of {'EXIT', _} -> refused end),
    t:o(is_reference(ets:whereis(shelf))), t:o(ets:whereis(nobody)),
    true = ets:delete(shelf), t:o(ets:whereis(shelf)), t:o(ets:new(shelf, [named_table])),
    t:o(ets:lookup(shelf, a)).
