%% sys:get_status: a server's state, log and whether it is suspended; format_status/1 says what of the state is shown.
-module(p73_sys_get_status).
-behaviour(gen_server).
-compile([export_all, nowarn_export_all]).

init(plain) -> {ok, {plain, 7}}.
handle_call(M, _, S) -> {reply, M, S}.
handle_cast(_, S) -> {noreply, S}.

main() ->
    {ok, P} = gen_server:start(?MODULE, plain, []),
    {status, P, {module, M}, [_, SysState, Parent, _, Misc]} = sys:get_status(P),
    t:o({M, SysState, Parent =:= P}),
    t:o([State || {data, [{"State", State}]} <- Misc]),
    sys:suspend(P), {status, _, _, [_, Now | _]} = sys:get_status(P), t:o(Now), sys:resume(P),
    {module, m} = t:load("-module(m). -export([init/1, handle_call/3, handle_cast/2, format_status/1]). init(_) -> {ok, {secret, 7}}. handle_call(M, _, S) -> {reply, M, S}. handle_cast(_, S) -> {noreply, S}. format_status(#{state := {secret, _}} = Status) -> Status#{state => hidden}."), {ok, Q} = gen_server:start(m, [], []),
    {status, _, _, [_, _, _, _, Hidden]} = sys:get_status(Q),
    t:o([State || {data, [{"State", State}]} <- Hidden]),
    t:o(sys:get_state(Q)).
