%% Whose a process is: all that an application's processes have spawned; what of them still runs ends with it.
-module(p85_get_application).
-compile([export_all, nowarn_export_all]).

start(_, To) -> {ok, spawn_link(fun() -> top(To) end)}.
stop(_) -> ok.
top(To) ->
    process_flag(trap_exit, true),
    To ! {child, self(), spawn(fun() -> spawn(fun() -> To ! {orphan, self()}, t:idle() end) end)},
    receive {'EXIT', _, R} -> exit(R) end.

main() ->
    application:load({application, x85, [{vsn, "1"}, {modules, []}, {registered, []}, {applications, []}, {mod, {?MODULE, self()}}]}),
    application:start(x85),
    receive {child, Top, _} -> ok end,
    receive {orphan, Orphan} -> ok end,
    t:o(application:get_application(Top)),
    t:o(application:get_application(Orphan)),
    t:o(application:get_application(self())),
    M = monitor(process, Orphan),
    t:o(application:stop(x85)),
    receive {'DOWN', M, _, _, Why} -> t:o(Why) after 1000 -> t:o(it_runs) end,
    t:o(application:get_application(Orphan)),
    application:unload(x85).
