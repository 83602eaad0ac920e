%% which_children and count_children: children that run, that were terminated, that ended, that ignored their start.
-module(p101_child_lists).
-compile([export_all, nowarn_export_all]).

st(ignore) -> ignore;
st(_) -> {ok, spawn_link(fun t:idle/0)}.
init(_) -> {ok, {#{intensity => 9}, [#{id => Id, start => {?MODULE, st, [How]}, restart => R, type => T}
                     || {Id, How, R, T} <- [{a, runs, permanent, worker}, {b, ignore, permanent, worker}, {c, ignore, temporary, worker},
                                            {d, runs, transient, supervisor}, {e, runs, temporary, worker}]]}}.
show(S) ->
    t:o([{Id, if is_pid(P) -> pid; true -> P end, T} || {Id, P, T, _} <- lists:reverse(supervisor:which_children(S))]),
    t:o([proplists:get_value(K, supervisor:count_children(S)) || K <- [specs, active, supervisors, workers]]).
pid(S, Id) -> {_, P, _, _} = lists:keyfind(Id, 1, supervisor:which_children(S)), P.

main() ->
    {ok, S} = supervisor:start_link(?MODULE, []), show(S),
    t:o(supervisor:terminate_child(S, a)), show(S),
    pid(S, d) ! stop, pid(S, e) ! {die, boom}, t:s(), show(S),
    t:o(element(1, supervisor:restart_child(S, d))), t:o(element(2, supervisor:restart_child(S, b))), show(S),
    t:o(supervisor:delete_child(S, b)), t:o(supervisor:delete_child(S, a)), show(S).
