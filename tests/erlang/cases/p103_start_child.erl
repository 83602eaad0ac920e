%% start_child: what each outcome of a start leaves behind, by the restart type.
-module(p103_start_child).
-compile([export_all, nowarn_export_all]).

init(_) -> {ok, {#{}, []}}.
st(ok) -> {ok, spawn_link(fun t:idle/0)};
st(ignore) -> ignore;
st(error) -> {error, no_disk};
st(exit) -> exit(no_disk);
st(nonsense) -> nonsense.
kind({ok, P}) when is_pid(P) -> started; kind({ok, undefined}) -> {ok, undefined}; kind({error, _}) -> error.

main() ->
    {ok, S} = supervisor:start_link(?MODULE, []),
    [t:o({R, How, kind(supervisor:start_child(S, #{id => {How, R}, start => {?MODULE, st, [How]}, restart => R})),
          [{Id, if is_pid(P) -> pid; true -> P end} || {Id, P, _, _} <- supervisor:which_children(S), Id =:= {How, R}]})
     || R <- [permanent, transient, temporary], How <- [ok, ignore, error, exit, nonsense]],
    t:o(is_process_alive(S)).
