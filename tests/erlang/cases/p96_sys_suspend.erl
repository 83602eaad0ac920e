%% sys:suspend: calls and casts wait, system messages do not; twice is once; a call that gave up; stop and exit of a suspended server.
-module(p96_sys_suspend).
-behaviour(gen_server).
-export([main/0, init/1, handle_call/3, handle_cast/2, handle_info/2, terminate/2]).

init(To) -> {ok, {To, []}}.
handle_call(get, _, {To, S}) -> {reply, lists:reverse(S), {To, S}};
handle_call(M, _, {To, S}) -> {reply, M, {To, [M | S]}}.
handle_cast(M, {To, S}) -> {noreply, {To, [M | S]}}.
handle_info(M, {To, S}) -> {noreply, {To, [M | S]}}.
terminate(R, {To, S}) -> To ! {terminate, R, lists:reverse(S)}.
start() -> {ok, P} = gen_server:start(?MODULE, self(), []), P.
down(M) -> receive {'DOWN', M, _, _, R} -> {down, R} after 300 -> lives end.

main() ->
    P = start(), t:o(sys:suspend(P)), t:o(sys:suspend(P)),
    gen_server:cast(P, one), P ! two,
    t:o(try gen_server:call(P, lost, 20) catch exit:{R, _} -> R end),
    t:o(element(2, sys:get_state(P))),
    t:o(sys:resume(P)), t:o(sys:resume(P)), t:o(gen_server:call(P, get)),
    sys:suspend(P), gen_server:cast(P, three), t:o(gen_server:stop(P)), t:o(t:recv()),
    Q = start(), sys:suspend(Q), M = monitor(process, Q), gen_server:cast(Q, one), exit(Q, boom), t:o(down(M)),
    S = start(), sys:suspend(S), N = monitor(process, S), exit(S, normal), t:o(down(N)), exit(S, kill), t:o(down(N)),
    t:o(try sys:suspend(S) catch exit:{W, _} -> W end).
