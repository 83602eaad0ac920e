%% The callbacks of an application, in their order: start, its phases, and on stop prep_stop, the tree's end, stop.
-module(p82_application_phases).
-compile([export_all, nowarn_export_all]).

start(Kind, Args) -> t:o({start, Kind, Args}), {ok, spawn_link(fun() -> idle() end), [state]}.
start_phase(Phase, Kind, Args) -> t:o({start_phase, Phase, Kind, Args, running()}), ok.
prep_stop(State) -> t:o({prep_stop, State}), [prepared | State].
stop(State) -> t:o({stop, State}).
idle() -> process_flag(trap_exit, true), receive {'EXIT', _, R} -> t:o({tree_ends, R}), exit(R) end.
running() -> lists:keymember(x82, 1, application:which_applications()).

main() ->
    application:load({application, x82, [{vsn, "1"}, {modules, []}, {registered, []}, {applications, []}, {mod, {?MODULE, [arg]}},
                                         {start_phases, [{warm, [1]}, {open, []}]}]}),
    t:o(application:start(x82)),
    t:o(running()),
    t:o(application:stop(x82)),
    t:o(running()),
    application:unload(x82).
