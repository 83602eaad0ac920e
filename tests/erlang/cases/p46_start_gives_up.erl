%% A start whose time is up, or whose init fails, leaves neither a 'DOWN' nor an 'EXIT' nor an answer in the mailbox.
-module(p46_start_gives_up).
-compile([export_all, nowarn_export_all]).

init(slow) -> t:s(), {ok, 1}; init(stop) -> {stop, no_way}; init(crash) -> exit(boom); init(ok) -> {ok, 1}.
handle_call(slow, _, S) -> t:s(), {reply, late, S}.
handle_cast(_, S) -> {noreply, S}.
main() ->
    process_flag(trap_exit, true), {ok, P} = gen_server:start_link(?MODULE, ok, []),
    [begin t:o({A, try gen_server:F(?MODULE, A, [{timeout, 20}]) of {error, R} -> R catch C:R -> {C, R} end}), t:o(t:recv(90)) end || F <- [start, start_link], A <- [slow, stop, crash]],
    t:o(try gen_server:call(P, slow, 20) catch exit:{W, _} -> W end), t:o(t:recv(90)),
    t:o({erlang:process_info(self(), links) =:= {links, [P]}, erlang:process_info(self(), monitors)}).
