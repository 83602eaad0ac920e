%% sys:install: a function sees each event, with a state of its own; done takes it out, so does an error; once by its name; remove; no_debug.
-module(p72_sys_install).
-behaviour(gen_server).
-compile([export_all, nowarn_export_all]).

init(_) -> {ok, 0}.
handle_call(M, _, N) -> {reply, M, N + 1}.
handle_cast(_, N) -> {noreply, N}.

kind({in, _}) -> in; kind({out, _, _, _}) -> out; kind({noreply, _}) -> noreply; kind(E) -> element(1, E).
count(To) -> fun(N, E, _) -> To ! {N, kind(E)}, N + 1 end.
until(To) -> fun(0, _, _) -> To ! done, done; (N, _, _) -> N - 1 end.
mb() -> receive M -> [M | mb()] after 60 -> [] end.

main() ->
    {ok, P} = gen_server:start(?MODULE, [], []), C = count(self()),
    t:o(sys:install(P, {C, 0})), gen_server:call(P, x), gen_server:cast(P, x), t:o(mb()),
    t:o(sys:install(P, {C, 100})), gen_server:call(P, x), t:o(mb()),
    t:o(sys:remove(P, C)), gen_server:call(P, x), t:o(mb()),
    sys:install(P, {until(self()), 2}), gen_server:call(P, x), gen_server:call(P, x), gen_server:call(P, x), t:o(mb()),
    sys:install(P, {fun(_, _, _) -> exit(oops) end, 0}), t:o(gen_server:call(P, alive)), t:o(gen_server:call(P, still)),
    sys:install(P, {first, C, 0}), sys:install(P, {second, C, 50}), gen_server:call(P, x), t:o(lists:sort(mb())),
    t:o(sys:remove(P, first)), gen_server:call(P, x), t:o(mb()),
    t:o(sys:no_debug(P)), gen_server:call(P, x), t:o(mb()).
