%% start_child, restart_child, delete_child and terminate_child: what is refused, by its reason; those of simple_one_for_one.
-module(p76_supervisor_requests).
-compile([export_all, nowarn_export_all]).

st() -> {ok, spawn_link(fun t:idle/0)}.
init(Strategy) -> {ok, {#{strategy => Strategy}, [#{id => x, start => {?MODULE, st, []}}]}}.
spec(Id) -> #{id => Id, start => {?MODULE, st, []}}.
shown({ok, P}) when is_pid(P) -> started;
shown({error, {already_started, P}}) when is_pid(P) -> {error, already_started};
shown(Other) -> Other.

main() ->
    {ok, S} = supervisor:start_link(?MODULE, one_for_one),
    t:o(shown(supervisor:start_child(S, spec(x)))), t:o(shown(supervisor:start_child(S, spec(y)))),
    t:o(shown(supervisor:restart_child(S, x))), t:o(shown(supervisor:delete_child(S, x))),
    t:o(shown(supervisor:terminate_child(S, x))), t:o(shown(supervisor:start_child(S, spec(x)))),
    t:o(shown(supervisor:terminate_child(S, x))), t:o(shown(supervisor:restart_child(S, x))),
    t:o(shown(supervisor:terminate_child(S, x))), t:o(shown(supervisor:delete_child(S, x))),
    [t:o(shown(supervisor:F(S, x))) || F <- [restart_child, delete_child, terminate_child]],
    {ok, Z} = supervisor:start_link(?MODULE, simple_one_for_one), {ok, P} = supervisor:start_child(Z, []),
    [t:o(shown(supervisor:F(Z, x))) || F <- [restart_child, delete_child, terminate_child]],
    t:o(shown(supervisor:terminate_child(Z, P))), t:o(shown(supervisor:terminate_child(Z, P))),
    t:o([V || {_, V} <- supervisor:count_children(Z)]).
