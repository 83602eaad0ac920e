%% gen_statem: what was postponed comes again after each change of state, oldest first, before what waits; not after repeat_state.
-module(p90_statem_postpone).
-behaviour(gen_statem).
-export([main/0, init/1, callback_mode/0, handle_event/4]).

callback_mode() -> handle_event_function.
init(_) -> {ok, a, []}.
handle_event({call, From}, seen, _, D) -> {keep_state_and_data, [{reply, From, lists:reverse(D)}]};
handle_event(cast, {go, S}, _, D) -> {next_state, S, [{went, S} | D]};
handle_event(cast, repeat, _, D) -> {repeat_state, [repeats | D]};
handle_event(cast, {until, S, _} = E, S, D) -> {keep_state, [{done, E} | D]};
handle_event(cast, {until, _, N}, S, D) -> {keep_state, [{put_off, N, S} | D], [postpone]};
handle_event(cast, E, S, D) -> {keep_state, [{E, S} | D]}.

main() ->
    [begin
         {ok, P} = gen_statem:start(?MODULE, [], []), sys:suspend(P),
         [gen_statem:cast(P, E) || E <- Events], sys:resume(P),
         t:o(gen_statem:call(P, seen))
     end || Events <- [[{until, b, 1}, {until, b, 2}, other, {go, b}, last],
                       [{until, c, 1}, {until, b, 2}, {until, c, 3}, {go, b}, {go, c}, last],
                       [{until, b, 1}, {go, a}, repeat, {go, b}],
                       [{until, b, 1}, {go, b}, {go, a}, {until, b, 2}, {go, b}]]].
