%% gen_statem with state functions: a postponed call, stop_and_reply, a bad state, bad returns, init that says too little.
-module(p51_statem_calls).
-behaviour(gen_statem).
-compile([export_all, nowarn_export_all]).

callback_mode() -> state_functions.
init(bad) -> {ok, 7, []}; init(S) -> {ok, S, []}.
locked({call, From}, {code, 7}, D) -> {next_state, open, D, [{reply, From, welcome}]};
locked({call, From}, {code, _}, D) -> {keep_state, D, [{reply, From, wrong}]};
locked({call, _}, walk, D) -> {keep_state, D, [postpone]};
locked({call, _}, bad_return, _) -> nonsense;
locked({call, From}, {keep, X}, D) -> {keep_state, [X | D], [{reply, From, D}]};
locked(info, M, D) -> {keep_state, [M | D]}.
open({call, From}, walk, _) -> {keep_state_and_data, [{reply, From, walked}]};
open({call, From}, leave, D) -> {stop_and_reply, normal, [{reply, From, bye}], D}.

main() ->
    {ok, P} = gen_statem:start(?MODULE, locked, []), Me = self(),
    spawn(fun() -> Me ! {first, gen_statem:call(P, walk)} end), t:s(),
    t:o(gen_statem:call(P, {code, 1})), t:o(t:recv(20)),
    P ! hello, t:o(gen_statem:call(P, {keep, x})),
    t:o(gen_statem:call(P, {code, 7})), t:o(t:recv(200)),
    t:o({element(1, sys:get_state(P)), gen_statem:call(P, leave), is_process_alive(P)}),
    {ok, Q} = gen_statem:start(?MODULE, locked, []),
    spawn(fun() -> Me ! {ended, catch element(1, element(2, catch gen_statem:call(Q, walk)))} end), t:s(),
    exit(Q, kill), t:o(t:recv(200)),
    {ok, R} = gen_statem:start(?MODULE, locked, []), M = monitor(process, R),
    catch gen_statem:call(R, bad_return), receive {'DOWN', M, _, _, Why} -> t:o(element(1, element(1, Why))) end.
