%% Applications that need one another: each starts after those that it needs; what is refused; stop, and unload.
-module(p80_application_start).
-compile([export_all, nowarn_export_all]).

start(normal, Name) -> t:o({starts, Name}), {ok, spawn_link(fun() -> idle() end)}.
stop(_) -> ok.
idle() -> process_flag(trap_exit, true), receive {'EXIT', _, R} -> exit(R) end.
load(Name, Needs) ->
    application:load({application, Name, [{description, "of " ++ atom_to_list(Name)}, {vsn, "1"}, {modules, []}, {registered, []},
                                          {applications, Needs}, {mod, {?MODULE, Name}}]}).
running() -> [N || {N, _, _} <- application:which_applications(), lists:member(N, [x80a, x80b, x80c])].

main() ->
    t:o([load(x80a, []), load(x80b, [x80a]), load(x80c, [x80b, x80a]), load(x80a, [])]),
    t:o(application:start(x80c)),
    t:o(application:ensure_all_started(x80c)),
    t:o(application:ensure_all_started(x80c)),
    t:o(running()),
    t:o(lists:keyfind(x80b, 1, application:which_applications())),
    t:o(application:start(x80a)),
    t:o(application:ensure_started(x80a)),
    t:o(application:unload(x80a)),
    t:o(application:stop(x80a)),
    t:o(application:stop(x80a)),
    t:o(running()),
    t:o(application:unload(x80a)),
    t:o(application:unload(x80a)),
    t:o(lists:sort([N || {N, _, _} <- application:loaded_applications(), lists:member(N, [x80a, x80b, x80c])])),
    t:o([application:stop(x80c), application:stop(x80b)]).
