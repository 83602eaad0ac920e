%% get_childspec: the spec of a child, also of one that does not run; of simple_one_for_one by the pid; not_found.
-module(p55_get_childspec).
-compile([export_all, nowarn_export_all]).

st() -> {ok, spawn_link(fun t:idle/0)}.
init(Strategy) -> {ok, {#{strategy => Strategy}, [#{id => x, start => {?MODULE, st, []}, restart => transient, shutdown => 2000}]}}.
shown({ok, Spec}) -> [maps:get(K, Spec) || K <- [id, restart, type, significant]];
shown(Other) -> Other.

main() ->
    {ok, S} = supervisor:start_link(?MODULE, one_for_one),
    t:o(shown(supervisor:get_childspec(S, x))), t:o(shown(supervisor:get_childspec(S, y))),
    ok = supervisor:terminate_child(S, x), t:o(shown(supervisor:get_childspec(S, x))),
    ok = supervisor:delete_child(S, x), t:o(shown(supervisor:get_childspec(S, x))),
    {ok, Z} = supervisor:start_link(?MODULE, simple_one_for_one), {ok, P} = supervisor:start_child(Z, []),
    t:o(shown(supervisor:get_childspec(Z, P))), t:o(shown(supervisor:get_childspec(Z, self()))).
