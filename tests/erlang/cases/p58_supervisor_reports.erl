%% The reports of a supervisor: progress for each child that starts; child_terminated, unless it ended well and stays ended; start_error; shutdown.
-module(p58_supervisor_reports).
-compile([export_all, nowarn_export_all]).

st() -> {ok, spawn_link(fun t:idle/0)}.
never() -> {error, no_table}.
init({Flags, Children}) -> {ok, {Flags, Children}}.
child(Id, Restart) -> #{id => Id, restart => Restart, start => {?MODULE, st, []}}.

log(#{msg := {report, #{label := {supervisor, progress}, report := R}}, meta := #{pid := P}}, #{config := #{to := To}}) ->
    Started = proplists:get_value(started, R),
    To ! {P, {progress, proplists:get_value(id, Started), proplists:get_value(restart_type, Started)}};
log(#{level := error, msg := {report, #{label := {supervisor, _}, report := R}}, meta := #{pid := P}}, #{config := #{to := To}}) ->
    Offender = proplists:get_value(offender, R),
    To ! {P, {proplists:get_value(errorContext, R), proplists:get_value(reason, R), proplists:get_value(id, Offender)}};
log(_, _) -> ok.

shown() -> t:s(), [t:o(Report) || {_, Report} <- t:mb(), is_tuple(Report), element(1, Report) =/= 'EXIT'].
kill(S, Id, Why) -> [P] = [P || {I, P, _, _} <- supervisor:which_children(S), I =:= Id], P ! {die, Why}, t:s().

main() ->
    process_flag(trap_exit, true),
    logger:set_primary_config(level, all), logger:update_primary_config(#{filters => [], filter_default => log}),
    [logger:remove_handler(H) || H <- logger:get_handler_ids()],
    ok = logger:add_handler(h, ?MODULE, #{config => #{to => self()}}),
    {ok, S} = supervisor:start_link(?MODULE, {#{intensity => 9}, [child(p, permanent), child(t, transient), child(x, temporary)]}),
    shown(),
    [begin t:o({Id, Why}), kill(S, Id, Why), shown() end || {Id, Why} <- [{p, normal}, {p, boom}, {t, boom}, {t, normal}, {x, boom}]],
    t:o(terminate), ok = supervisor:terminate_child(S, p), shown(),
    {ok, Y} = supervisor:start_link(?MODULE, {#{}, [child(y, temporary)]}), shown(),
    t:o({y, shutdown}), kill(Y, y, shutdown), shown(),
    t:o(never), {error, _} = supervisor:start_link(?MODULE, {#{}, [#{id => n, start => {?MODULE, never, []}}]}), shown(),
    {ok, Z} = supervisor:start_link(?MODULE, {#{intensity => 0}, [child(z, permanent)]}), shown(),
    t:o({z, boom}), kill(Z, z, boom), shown(),
    {ok, D} = supervisor:start_link(?MODULE, {#{}, [#{id => d, shutdown => 50, start => {?MODULE, deaf, []}}]}), t:s(), shown(),
    t:o(deaf), supervisor:terminate_child(D, d), shown(),
    logger:remove_handler(h), logger:set_primary_config(level, none).
deaf() -> {ok, spawn_link(fun() -> process_flag(trap_exit, true), ignore() end)}.
ignore() -> receive never -> ok end.
