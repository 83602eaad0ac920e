%% ets: who may read and write: by default all read and the owner writes; public, protected, private.
-module(p64_ets_access).
-compile([export_all, nowarn_export_all]).

as_other(F) -> Me = self(), spawn(fun() -> Me ! {done, case catch F() of {'EXIT', _} -> refused; V -> V end} end), receive {done, V} -> V end.
main() ->
    [begin
         T = ets:new(t, Options), ets:insert(T, {a, 1}),
         t:o({Options, as_other(fun() -> ets:lookup(T, a) end), as_other(fun() -> ets:insert(T, {b, 2}) end),
              as_other(fun() -> ets:delete(T, a) end), as_other(fun() -> ets:delete(T) end)}),
         t:o(case catch ets:lookup(T, a) of {'EXIT', _} -> gone; V -> V end)
     end || Options <- [[], [protected], [public], [private]]].
