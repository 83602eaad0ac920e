%% gen_server: what the caller hears and terminate gets, for each way in which a callback ends the server; stop.
-module(p100_server_ends).
-behaviour(gen_server).
-export([main/0, init/1, handle_call/3, handle_cast/2, terminate/2]).

init(To) -> {ok, To}.
handle_call({stop, R}, _, S) -> {stop, R, S};
handle_call({stop, R, Reply}, _, S) -> {stop, R, Reply, S};
handle_call({exit, R}, _, _) -> exit(R);
handle_call(error, _, _) -> error(boom).
handle_cast({stop, R}, S) -> {stop, R, S}.
reason({R, [_ | _]}) -> {R, stack}; reason(R) -> R.
terminate(R, To) -> To ! {terminate, reason(R)}.
call(P, R) -> try gen_server:call(P, R) catch exit:{Why, {gen_server, call, _}} -> {exit, reason(Why)} end.
down(M) -> receive {'DOWN', M, _, _, R} -> {down, reason(R)} after 300 -> lives end.

main() ->
    [begin {ok, P} = gen_server:start(?MODULE, self(), []), M = monitor(process, P), t:o({R, call(P, R)}), t:o(t:recv()), t:o(down(M)) end
     || R <- [{stop, normal}, {stop, shutdown}, {stop, {shutdown, x}}, {stop, boom}, {stop, boom, bye}, {exit, normal}, {exit, quit}, error]],
    [begin {ok, P} = gen_server:start(?MODULE, self(), []), t:o(gen_server:stop(P, R, 1000)), t:o(t:recv()) end || R <- [normal, shutdown, {shutdown, y}, odd]],
    {ok, Q} = gen_server:start(?MODULE, self(), []), gen_server:cast(Q, {stop, normal}), t:o(t:recv()),
    t:s(), t:o(try gen_server:stop(Q) catch exit:W -> W end).
