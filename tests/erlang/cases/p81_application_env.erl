%% The environment of an application: its own values, changed ones, and those of one that is not loaded.
-module(p81_application_env).
-compile([export_all, nowarn_export_all]).

load() -> application:load({application, x81, [{vsn, "1"}, {modules, []}, {registered, []}, {applications, []}, {env, [{port, 80}, {hosts, [a]}]}]}).

main() ->
    t:o(application:get_env(x81, port, none)),
    application:set_env(x81, early, 1),
    t:o(application:get_env(x81, early, none)),
    t:o(load()),
    t:o([application:get_env(x81, K, none) || K <- [port, hosts, early, other]]),
    t:o(application:set_env(x81, port, 8080)),
    t:o(application:get_env(x81, port)),
    t:o(application:get_env(x81, other)),
    t:o(application:unset_env(x81, port)),
    t:o(application:unset_env(x81, port)),
    t:o(application:get_env(x81, port, gone)),
    t:o(lists:sort(application:get_all_env(x81))),
    t:o(application:start(x81)),
    t:o(application:stop(x81)),
    application:unload(x81),
    t:o(application:get_all_env(x81)),
    t:o(load()),
    t:o(application:get_env(x81, port, none)),
    application:unload(x81).
