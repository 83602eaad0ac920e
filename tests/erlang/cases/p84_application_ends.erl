%% The end of an application's tree: what becomes of it and of others, by its type; stop is no such end.
-module(p84_application_ends).
-compile([export_all, nowarn_export_all]).

start(_, Name) -> {ok, spawn_link(fun() -> register(Name, self()), idle() end)}.
stop(_) -> ok.
idle() -> receive {die, R} -> exit(R) end.
running() -> lists:sort([N || {N, _, _} <- application:which_applications(), lists:member(N, [x84a, x84b])]).

main() ->
    [application:load({application, N, [{vsn, "1"}, {modules, []}, {registered, []}, {applications, []}, {mod, {?MODULE, N}}]}) || N <- [x84a, x84b]],
    application:start(x84b),
    [begin
         application:start(x84a, Type), t:o({Type, Why, running()}),
         x84a ! {die, Why}, t:s(), t:o(running())
     end || {Type, Why} <- [{temporary, normal}, {temporary, boom}, {transient, normal}]],
    [begin application:start(x84a, Type), application:stop(x84a), t:o({stopped, Type, running()}) end || Type <- [temporary, transient, permanent]],
    application:stop(x84b),
    [application:unload(N) || N <- [x84a, x84b]].
