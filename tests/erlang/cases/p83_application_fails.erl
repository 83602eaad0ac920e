%% An application that does not start: an error, another value, an exception, a phase that fails; it is loaded still.
-module(p83_application_fails).
-compile([export_all, nowarn_export_all]).

start(_, error) -> {error, no_disk};
start(_, bad) -> nonsense;
start(_, raise) -> exit(boom);
start(_, dies) -> P = spawn_link(fun() -> exit(early) end), t:s(), {ok, P};
start(_, phase) -> {ok, spawn_link(fun t:idle/0)}.
start_phase(_, _, _) -> {error, cold}.
stop(State) -> t:s(10), t:o({stop, State}).
kind({error, {bad_return, {_, {'EXIT', Why}}}}) -> {error, Why};
kind({error, {bad_return, {_, What}}}) -> {bad_return, What};
kind({error, {{Why, {_, start_phase, _}}, _}}) -> {error, Why};
kind({error, {Why, _}}) -> {error, Why};
kind(ok) -> ok.

main() ->
    [begin
         Name = list_to_atom("x83" ++ atom_to_list(How)),
         Phases = if How =:= phase -> [{start_phases, [{warm, []}]}]; true -> [] end,
         application:load({application, Name, [{vsn, "1"}, {modules, []}, {registered, []}, {applications, []}, {mod, {?MODULE, How}} | Phases]}),
         t:o({How, kind(application:start(Name))}),
         t:s(),
         t:o(lists:keymember(Name, 1, application:which_applications())),
         application:unload(Name)
     end || How <- [error, bad, raise, dies, phase]].
