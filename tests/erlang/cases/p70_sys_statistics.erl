%% sys:statistics: how many messages came in and went out, since when; nothing without being turned on.
-module(p70_sys_statistics).
-behaviour(gen_server).
-compile([export_all, nowarn_export_all]).

init(_) -> {ok, 0}.
handle_call(later, From, N) -> gen_server:reply(From, soon), {noreply, N};
handle_call(M, _, N) -> {reply, M, N}.
handle_cast(_, N) -> {noreply, N}.
handle_info(_, N) -> {noreply, N}.

main() ->
    {ok, P} = gen_server:start(?MODULE, [], []),
    t:o(sys:statistics(P, get)), t:o(sys:statistics(P, true)),
    [gen_server:call(P, x) || _ <- "abc"], gen_server:cast(P, x), P ! x, gen_server:call(P, later),
    {ok, S} = sys:statistics(P, get),
    t:o([{K, proplists:get_value(K, S)} || K <- [messages_in, messages_out]]),
    t:o([lists:keymember(K, 1, S) || K <- [start_time, current_time]]),
    sys:get_state(P), {ok, Z} = sys:statistics(P, get), t:o(proplists:get_value(messages_in, Z)),
    t:o(sys:statistics(P, false)), t:o(sys:statistics(P, get)).
