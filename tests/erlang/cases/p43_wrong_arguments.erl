%% What is not a pid, a name, a ref or a time is an error in the caller at once, and no timer, link or monitor is made.
-module(p43_wrong_arguments).
-compile([export_all, nowarn_export_all]).

each(What, F, Wrong) -> t:o({What, [try F(X) of _ -> taken catch error:R -> R end || X <- Wrong]}).
main() ->
    P = t:pid(), register(n, P), Wrong = [17, ["name"], {n}], Ref = make_ref(),
    each(send_after, fun(X) -> erlang:send_after(1, X, m) end, [{via, m, n} | Wrong]),
    each(send_after_a_time, fun(X) -> erlang:send_after(X, P, m) end, [-1, infinity, true, "1"]),
    each(cancel_timer, fun erlang:cancel_timer/1, Wrong),
    [each(What, F, [n, Ref | Wrong]) || {What, F} <- [{link, fun erlang:link/1}, {unlink, fun erlang:unlink/1}, {exit, fun(X) -> exit(X, r) end},
        {is_process_alive, fun erlang:is_process_alive/1}, {process_info, fun erlang:process_info/1}]],
    each(monitor, fun(X) -> monitor(process, X) end, [{1, node()}, Ref | Wrong]),
    each(register, fun(X) -> register(X, P) end, Wrong), each(register_for, fun(X) -> register(m, X) end, [n | Wrong]),
    each(whereis, fun erlang:whereis/1, Wrong), each(unregister, fun erlang:unregister/1, Wrong),
    each(trap_exit, fun(X) -> process_flag(trap_exit, X) end, [17, 1, "true"]),
    each(receive_after, fun(X) -> receive never -> ok after X -> ok end end, [-1, true, "1"]),
    each(gen_server_cast, fun(X) -> gen_server:cast(X, m) end, [17, ["name"]]),
    t:o({is_process_alive(P), erlang:process_info(self(), links), erlang:process_info(self(), monitors)}), t:o(t:recv(20)).
