%% gen_statem: how it ends, and what terminate and its callers hear; init that stops or ignores; a call to one that is gone.
-module(p92_statem_ends).
-behaviour(gen_statem).
-export([main/0, init/1, callback_mode/0, handle_event/4, terminate/3]).

callback_mode() -> handle_event_function.
init(ignore) -> ignore; init({stop, R}) -> {stop, R}; init(To) -> {ok, a, To}.
handle_event(cast, {stop, R}, _, _) -> {stop, R};
handle_event({call, _}, {stop, R}, _, _) -> {stop, R};
handle_event({call, From}, {stop, R, Reply}, _, D) -> {stop_and_reply, R, [{reply, From, Reply}], D};
handle_event(cast, {next, S}, _, D) -> {next_state, S, D}.
terminate(R, S, To) -> To ! {terminate, R, S}.
call(P, R) -> try gen_statem:call(P, R) catch exit:{Why, _} -> {exit, Why} end.

main() ->
    [begin {ok, P} = gen_statem:start(?MODULE, self(), []), gen_statem:cast(P, {next, b}), t:o(F(P)), t:o(t:recv(100)), t:s(20), t:o(call(P, x)) end
     || F <- [fun(P) -> gen_statem:cast(P, {stop, normal}) end, fun(P) -> gen_statem:cast(P, {stop, boom}) end,
              fun(P) -> call(P, {stop, normal}) end, fun(P) -> call(P, {stop, boom, bye}) end, fun(P) -> gen_statem:stop(P) end,
              fun(P) -> gen_statem:stop(P, shutdown, 1000) end, fun(P) -> exit(P, kill), t:s(10) end]],
    [t:o(gen_statem:start(?MODULE, Arg, [])) || Arg <- [ignore, {stop, no_disk}]].
