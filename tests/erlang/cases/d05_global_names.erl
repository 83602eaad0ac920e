%% Names of all nodes: given, found from the other node, taken, freed by the end and by hand.
-module(d05_global_names).
-export([main/0]).
main() ->
    N = t:peer(), P = t:pid(), global:sync(), erpc:call(N, global, sync, []),
    t:o(global:register_name(db, P)),
    t:o(erpc:call(N, global, whereis_name, [db]) =:= P),
    t:o(erpc:call(N, global, register_name, [db, t:spawn_on(N)])),
    t:o(global:registered_names()),
    t:o(whereis(db)),
    t:o(global:send(db, stop) =:= P), t:s(),
    t:o(global:whereis_name(db)),
    Q = t:spawn_on(N), t:o(erpc:call(N, global, register_name, [db, Q])),
    t:o(global:whereis_name(db) =:= Q),
    erpc:call(N, global, unregister_name, [db]), t:o(global:whereis_name(db)).
