%% A server that ends while several wait for it: each hears the reason; casts to it are lost; by its name the next one answers.
-module(p105_callers_of_a_crash).
-behaviour(gen_server).
-export([main/0, init/1, handle_call/3, handle_cast/2, start_link/0, init_sup/0]).

start_link() -> gen_server:start_link({local, x105}, ?MODULE, server, []).
init_sup() -> supervisor:start_link(?MODULE, sup).
init(sup) -> {ok, {#{intensity => 9}, [#{id => x, start => {?MODULE, start_link, []}}]}};
init(server) -> {ok, 0}.
handle_call(wait, _, N) -> {noreply, N};
handle_call(count, _, N) -> {reply, N + 1, N + 1}.
handle_cast({die, R}, _) -> exit(R).

main() ->
    {ok, _} = init_sup(), Me = self(),
    t:o([gen_server:call(x105, count) || _ <- [1, 2]]),
    [spawn(fun() -> Me ! {N, try gen_server:call(x105, wait) catch exit:{R, _} -> R end} end) || N <- [1, 2, 3]], t:s(),
    gen_server:cast(x105, {die, boom}), gen_server:cast(x105, lost),
    t:o(lists:sort([t:recv() || _ <- [1, 2, 3]])), t:s(),
    t:o([gen_server:call(x105, count) || _ <- [1, 2]]),
    t:o(gen_server:cast(nobody_105, x)),
    t:o(try gen_server:call(nobody_105, x) catch exit:{R, _} -> R end).
