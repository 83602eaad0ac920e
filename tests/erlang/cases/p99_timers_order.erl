%% send_after: several at one time come in their order; a name is looked up when it fires; it fires though its maker has ended; who may cancel it.
-module(p99_timers_order).
-compile([export_all, nowarn_export_all]).

main() ->
    [erlang:send_after(30, self(), {same, N}) || N <- [1, 2, 3]], erlang:send_after(10, self(), earlier), t:o(t:mb()),
    A = t:pid(), register(x99, A), erlang:send_after(30, x99, {die, late}), unregister(x99), register(x99, self()), t:o(t:recv()), unregister(x99),
    Me = self(), spawn(fun() -> erlang:send_after(40, Me, of_the_dead), Me ! ended end), t:o(t:recv()), t:o(t:recv()),
    T = erlang:send_after(60, self(), lost), spawn(fun() -> Me ! {cancelled, is_integer(erlang:cancel_timer(T))} end), t:o(t:recv()), t:o(t:recv(100)),
    U = erlang:send_after(5, A, {die, x}), M = monitor(process, A), t:o(case t:recv() of {'DOWN', M, _, _, R} -> R end), t:o(erlang:cancel_timer(U)),
    t:o(try erlang:send_after(-1, self(), x) catch error:E -> E end).
