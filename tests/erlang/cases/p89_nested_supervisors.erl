%% A supervisor that gives up is a child that has ended: the one above it starts it again, or gives up too, by its own count.
-module(p89_nested_supervisors).
-compile([export_all, nowarn_export_all]).

st(Id) -> {ok, spawn_link(fun() -> register(Id, self()), t:idle() end)}.
init({inner, I}) -> {ok, {#{intensity => I}, [#{id => w, start => {?MODULE, st, [x89]}}]}};
init({outer, I, Restart}) ->
    {ok, {#{intensity => I}, [#{id => inner, start => {supervisor, start_link, [?MODULE, {inner, 1}]}, type => supervisor, restart => Restart}]}}.
inner(S) -> case supervisor:which_children(S) of [{_, P, _, _}] -> P; [] -> gone end.

main() ->
    process_flag(trap_exit, true),
    [begin
         {ok, S} = supervisor:start_link(?MODULE, {outer, 1, Restart}),
         [begin
              I = inner(S), x89 ! {die, boom}, t:s(),
              t:o({Restart, N, case is_process_alive(S) of true -> {inner, case inner(S) of I -> same; P when is_pid(P) -> new; Other -> Other end}; false -> gone end})
          end || N <- [1, 2, 3, 4], whereis(x89) =/= undefined, is_process_alive(S)],
         t:o(case t:recv(10) of {'EXIT', S, R} -> {exit, R}; Other -> Other end),
         unlink(S), exit(S, kill), t:s()
     end || Restart <- [permanent, transient, temporary]].
