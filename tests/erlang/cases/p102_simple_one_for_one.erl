%% simple_one_for_one: arguments of start_child come after those of the spec; children by pid; one that ends, by its restart type.
-module(p102_simple_one_for_one).
-compile([export_all, nowarn_export_all]).

st(A, _, no) -> {error, A};
st(A, To, B) -> {ok, spawn_link(fun() -> To ! {A, B}, t:idle() end)}.
init({To, R}) -> {ok, {#{strategy => simple_one_for_one, intensity => 3}, [#{id => x, start => {?MODULE, st, [first, To]}, restart => R}]}}.
counts(S) -> [proplists:get_value(K, supervisor:count_children(S)) || K <- [specs, active, supervisors, workers]].

main() ->
    [begin
         {ok, S} = supervisor:start_link(?MODULE, {self(), R}), t:o({R, supervisor:which_children(S), counts(S)}),
         {ok, P} = supervisor:start_child(S, [second]), t:o(t:recv()), {ok, Q} = supervisor:start_child(S, [third]), t:o(t:recv()),
         t:o(supervisor:start_child(S, [no])), t:o({[Id || {Id, _, _, _} <- supervisor:which_children(S)], counts(S)}),
         P ! {die, boom}, t:o(t:recv(30)), t:o({is_process_alive(Q), counts(S)}),
         t:o(supervisor:terminate_child(S, Q)), t:o({is_process_alive(Q), counts(S)}),
         t:o(supervisor:terminate_child(S, Q))
     end || R <- [permanent, temporary]].
