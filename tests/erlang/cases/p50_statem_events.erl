%% gen_statem: the order of inserted, postponed and zero-timeout events, enter calls, repeat_state, what cancels which timeout.
-module(p50_statem_events).
-behaviour(gen_statem).
-export([main/0, init/1, callback_mode/0, handle_event/4]).

callback_mode() -> [handle_event_function, state_enter].
init(S) -> {ok, S, []}.
handle_event({call, From}, seen, _, D) -> {keep_state, [], [{reply, From, lists:reverse(D)}]};
handle_event(enter, Old, enters, D) -> {keep_state, [{enter, Old, enters} | D], [{state_timeout, 20, from_enter}]};
handle_event(Type, {do, What}, S, D) -> do(What, [{Type, S} | D]);
handle_event(enter, Old, S, D) -> {keep_state, [{enter, Old, S} | D]};
handle_event(Type, Content, S, D) -> {keep_state, [{Type, Content, S} | D]}.
do({keep, Actions}, D) -> {keep_state, D, Actions};
do({repeat, Actions}, D) -> {repeat_state, D, Actions};
do({next, S, Actions}, D) -> {next_state, S, D, Actions}.

seen(Events) -> seen(Events, 0).
seen(Events, Wait) ->
    {ok, P} = gen_statem:start(?MODULE, a, []), sys:suspend(P),
    [gen_statem:cast(P, E) || E <- Events], sys:resume(P), timer:sleep(Wait),
    t:o(gen_statem:call(P, seen)).
main() ->
    seen([{do, {keep, [{next_event, internal, 1}, {next_event, internal, 2}, {state_timeout, 0, zero}, {{timeout, x}, 0, named}]}}, last]),
    seen([{do, {keep, [postpone]}}, two, {do, {next, b, [{next_event, internal, first}]}}, last]),
    seen([{do, {keep, [{next_event, internal, 1}, {timeout, 0, lost}]}}, last]),
    seen([{do, {keep, [{timeout, 0, zero}]}}, last]),
    seen([{do, {next, b, []}}, {do, {next, b, []}}, {do, {repeat, []}}, {do, {next, a, []}}]),
    seen([{do, {next, b, [postpone]}}]),
    seen([{do, {keep, [{state_timeout, 20, lost}]}}, {do, {next, b, [{state_timeout, 50, kept}]}}], 200),
    seen([{do, {keep, [{timeout, 20, lost}]}}, other, {do, {keep, [{timeout, 20, alone}]}}], 200),
    seen([{do, {keep, [{{timeout, x}, 20, kept}, {{timeout, y}, 20, lost}]}}, {do, {next, b, [{{timeout, y}, infinity, none}]}}], 200),
    seen([{do, {keep, [{state_timeout, 20, first}]}}, {do, {keep, [{state_timeout, 60, second}]}}], 200),
    seen([{do, {keep, [{state_timeout, 20, stays}]}}, {do, {repeat, []}}], 200),
    seen([{do, {next, enters, []}}], 200).
