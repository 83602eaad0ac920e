%% rest_for_one and one_for_all: children that were terminated by hand, temporary and transient ones, when another one ends.
-module(p87_rest_for_one).
-compile([export_all, nowarn_export_all]).

st() -> {ok, spawn_link(fun t:idle/0)}.
init({Strategy, Restarts}) ->
    Names = lists:sublist([a, b, c], length(Restarts)),
    {ok, {#{strategy => Strategy, intensity => 9}, [#{id => Id, start => {?MODULE, st, []}, restart => R} || {Id, R} <- lists:zip(Names, Restarts)]}}.
pid(S, Id) -> case lists:keyfind(Id, 1, supervisor:which_children(S)) of {_, P, _, _} -> P; false -> gone end.
state(P, P) when is_pid(P) -> same;
state(_, P) when is_pid(P) -> new;
state(_, Other) -> Other.

main() ->
    [begin
         {ok, S} = supervisor:start_link(?MODULE, {Strategy, Restarts}),
         if Stop =:= none -> ok; true -> supervisor:terminate_child(S, Stop) end,
         Before = [{Id, pid(S, Id)} || Id <- [a, b, c]],
         pid(S, Die) ! {die, boom}, t:s(),
         t:o({Strategy, Restarts, Stop, Die, [{Id, state(P, pid(S, Id))} || {Id, P} <- Before]})
     end || Strategy <- [rest_for_one, one_for_all],
            {Restarts, Stop, Die} <- [{[permanent, permanent, permanent], c, b}, {[permanent, permanent, permanent], a, b},
                                      {[permanent, temporary, transient], none, a}, {[permanent, permanent, temporary], none, c}]].
