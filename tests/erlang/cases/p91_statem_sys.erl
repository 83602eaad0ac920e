%% gen_statem and sys: a suspended one keeps its events and its timeouts wait; get_state and replace_state have state and data; code_change.
-module(p91_statem_sys).
-behaviour(gen_statem).
-export([main/0, init/1, callback_mode/0, handle_event/4, code_change/4]).

callback_mode() -> handle_event_function.
init(_) -> {ok, a, 1}.
handle_event({call, From}, get, S, D) -> {keep_state_and_data, [{reply, From, {S, D}}]};
handle_event(cast, {next, S}, _, D) -> {next_state, S, D + 1};
handle_event(cast, {wait, N}, _, _) -> {keep_state_and_data, [{state_timeout, N, over}]};
handle_event(state_timeout, over, _, D) -> {keep_state, D + 100}.
code_change(_, S, D, Extra) -> case Extra of fail -> error(failed); _ -> {ok, list_to_atom(atom_to_list(S) ++ "_new"), D + Extra} end.

main() ->
    {ok, P} = gen_statem:start(?MODULE, [], []),
    t:o(sys:get_state(P)),
    sys:suspend(P), gen_statem:cast(P, {next, b}), t:s(10),
    t:o(sys:get_state(P)),
    t:o(sys:replace_state(P, fun({S, D}) -> {S, D + 10} end)),
    sys:resume(P), t:o(gen_statem:call(P, get)),
    gen_statem:cast(P, {wait, 30}), t:s(5), sys:suspend(P), t:s(60), t:o(sys:get_state(P)),
    sys:resume(P), t:o(gen_statem:call(P, get)),
    sys:suspend(P), t:o(element(1, sys:change_code(P, ?MODULE, old, fail))), t:o(sys:get_state(P)),
    t:o(sys:change_code(P, ?MODULE, old, 1000)), sys:resume(P), t:o(gen_statem:call(P, get)).
