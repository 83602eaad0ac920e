%% sys:get_state and sys:replace_state: between two messages, also of a suspended server; a function that fails, a dead server, a busy one.
-module(p42_sys_state).
-behaviour(gen_server).
-export([main/0, init/1, handle_call/3, handle_cast/2]).

init(S) -> {ok, S}.
handle_call(slow, _, S) -> timer:sleep(300), {reply, slow, S};
handle_call(get, _, S) -> {reply, S, S}.
handle_cast(M, S) -> {noreply, [M | S]}.

c(F) ->
    try t:o(F())
    catch error:{callback_failed, _, {_, Why}} -> t:o({callback_failed, Why});
          exit:{Why, _} -> t:o({exit, Why})
    end.

main() ->
    {ok, P} = gen_server:start(?MODULE, [], []),
    gen_server:cast(P, one),
    c(fun() -> sys:get_state(P) end),
    c(fun() -> sys:replace_state(P, fun(S) -> [two | S] end) end),
    c(fun() -> gen_server:call(P, get) end),
    c(fun() -> sys:replace_state(P, fun(_) -> error(oops) end) end),
    c(fun() -> gen_server:call(P, get) end),
    sys:suspend(P), gen_server:cast(P, three),
    c(fun() -> sys:replace_state(P, fun(S) -> [four | S] end) end),
    c(fun() -> sys:get_state(P) end),
    sys:resume(P),
    c(fun() -> gen_server:call(P, get) end),
    spawn(fun() -> gen_server:call(P, slow) end), t:s(20),
    c(fun() -> sys:get_state(P, 50) end),
    c(fun() -> sys:replace_state(P, fun(S) -> [late | S] end, 50) end),
    c(fun() -> gen_server:call(P, get) end),
    exit(P, kill), t:s(20),
    c(fun() -> sys:get_state(P) end),
    c(fun() -> sys:replace_state(no_name, fun(S) -> S end) end).
