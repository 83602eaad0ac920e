%% sys:log: the last events of a server, oldest first: what came in, and what went out; the number kept; off again.
-module(p69_sys_log).
-behaviour(gen_server).
-compile([export_all, nowarn_export_all]).

init(_) -> {ok, 0}.
handle_call(later, From, N) -> gen_server:reply(From, soon), {noreply, N};
handle_call(M, _, N) -> {reply, {did, M}, N + 1}.
handle_cast(_, N) -> {noreply, N + 1}.
handle_info(_, N) -> {noreply, N + 1}.

shown({in, {'$gen_call', _, M}}) -> {in, call, M};
shown({in, {'$gen_cast', M}}) -> {in, cast, M};
shown({in, M}) -> {in, info, M};
shown({out, M, _, _}) -> {out, M};
shown({noreply, _}) -> noreply;
shown(Other) -> element(1, Other).
events(P) -> {ok, Events} = sys:log(P, get), [shown(E) || E <- Events].

main() ->
    {ok, P} = gen_server:start(?MODULE, [], []),
    t:o(events(P)), t:o(sys:log(P, true)), t:o(events(P)),
    gen_server:call(P, one), gen_server:cast(P, two), P ! three, gen_server:call(P, later),
    t:o(events(P)),
    sys:get_state(P), t:o(length(events(P))),
    t:o(sys:log(P, false)), t:o(sys:log(P, {true, 2})), gen_server:call(P, a), gen_server:call(P, b), t:o(events(P)),
    [gen_server:cast(P, N) || N <- lists:seq(1, 30)], t:o(length(events(P))),
    t:o(sys:log(P, false)), t:o(events(P)),
    {ok, Q} = gen_server:start(?MODULE, [], []), sys:log(Q, true), [gen_server:cast(Q, N) || N <- lists:seq(1, 30)], t:o(length(events(Q))).
