%% ets: a table goes with its owner; an heir gets it, with a message; give_away; only the owner gives it away, not to itself or to a dead process.
-module(p66_ets_owner).
-compile([export_all, nowarn_export_all]).

owner(Options) ->
    Me = self(),
    P = spawn(fun() -> T = ets:new(t, Options), ets:insert(T, {a, 1}), Me ! {table, T}, receive {give, To} -> ets:give_away(T, To, gift), t:idle(); stop -> ok end end),
    receive {table, T} -> {P, T} end.
there(T) -> ets:info(T, size) =/= undefined.
got({'ETS-TRANSFER', _, From, Data}, P) -> {transfer, From =:= P, Data};
got(Other, _) -> Other.

main() ->
    {P, T} = owner([]), P ! stop, t:s(), t:o({there(T), t:recv(10)}),
    {Q, U} = owner([{heir, self(), legacy}]), t:o(ets:info(U, heir) =:= self()),
    Q ! stop, t:s(), t:o({there(U), got(t:recv(10), Q)}), t:o({ets:info(U, owner) =:= self(), ets:lookup(U, a), ets:insert(U, {b, 2})}),
    Dead = t:pid(), exit(Dead, kill), t:s(),
    {R, V} = owner([{heir, Dead, legacy}]), R ! stop, t:s(), t:o(there(V)),
    {S, W} = owner([]), t:o(case catch ets:give_away(W, self(), x) of {'EXIT', _} -> refused end),
    S ! {give, self()}, t:o(got(t:recv(200), S)), t:o(ets:info(W, owner) =:= self()),
    [t:o({case catch ets:give_away(W, To, x) of {'EXIT', {badarg, _}} -> badarg end, ets:info(W, owner) =:= self()}) || To <- [Dead, self()]],
    S ! stop, t:s(), t:o(there(W)).
