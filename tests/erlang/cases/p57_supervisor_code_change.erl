%% A supervisor's code_change asks init again: new specs and flags count, an added child is not started, a removed one runs on.
-module(p57_supervisor_code_change).
-compile([export_all, nowarn_export_all]).

st(N) -> {ok, spawn_link(fun() -> told(N) end)}.
told(N) -> receive {ask, P} -> P ! {number, N}, told(N); {die, R} -> exit(R) end.
child({Id, N}) -> #{id => Id, start => {?MODULE, st, [N]}}.
init(_) -> persistent_term:get(?MODULE).
number(P) -> P ! {ask, self()}, receive {number, N} -> N end.
want(Flags, Children) -> persistent_term:put(?MODULE, {ok, {Flags, [child(C) || C <- Children]}}).
change(S) -> ok = sys:suspend(S), R = sys:change_code(S, ?MODULE, undefined, undefined), ok = sys:resume(S), R.
shown(S) -> [{Id, case P of undefined -> none; _ -> number(P) end} || {Id, P, _, _} <- lists:reverse(supervisor:which_children(S))].
pid(S, Id) -> hd([P || {I, P, _, _} <- supervisor:which_children(S), I =:= Id]).

main() ->
    want(#{}, [{a, 1}, {b, 1}]),
    {ok, S} = supervisor:start_link(?MODULE, []),
    A = pid(S, a), B = pid(S, b),
    want(#{strategy => one_for_all, intensity => 9}, [{b, 2}, {c, 2}]),
    t:o(change(S)),
    t:o(lists:sort(shown(S))),
    t:o({is_process_alive(A), is_process_alive(B)}),
    B ! {die, boom}, t:s(),
    t:o({pid(S, b) =:= B, number(pid(S, b))}),
    persistent_term:put(?MODULE, ignore), t:o(change(S)),
    want(#{strategy => nonsense}, []),
    t:o(element(1, change(S))),
    t:o(number(pid(S, b))).
