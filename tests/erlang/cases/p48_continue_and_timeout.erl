%% {continue, X} from init and from callbacks comes before any message; a timeout in a return value is an info if no message comes.
-module(p48_continue_and_timeout).
-behaviour(gen_server).
-export([main/0, init/1, handle_call/3, handle_cast/2, handle_continue/2, handle_info/2]).

init(plain) -> {ok, []};
init(First) -> {ok, [], First}.
handle_call(heard, _, S) -> {reply, lists:reverse(S), S};
handle_call({reply, R, Next}, _, S) -> {reply, R, [call | S], Next};
handle_call({noreply, Next}, From, S) -> put(from, From), {noreply, [call | S], Next}.
handle_cast({next, Next}, S) -> {noreply, [cast | S], Next};
handle_cast(M, S) -> {noreply, [M | S]}.
handle_continue({down, N} = M, S) when N > 0 -> {noreply, [M | S], {continue, {down, N - 1}}};
handle_continue({answer, R} = M, S) -> gen_server:reply(get(from), R), {noreply, [M | S]};
handle_continue(M, S) -> {noreply, [M | S]}.
handle_info(M, S) -> {noreply, [{info, M} | S]}.

main() ->
    {ok, A} = gen_server:start(?MODULE, {continue, first}, []),
    gen_server:cast(A, second),
    t:o(gen_server:call(A, heard)),
    {ok, B} = gen_server:start(?MODULE, plain, []),
    gen_server:cast(B, {next, {continue, {down, 2}}}), gen_server:cast(B, after_it),
    t:o(gen_server:call(B, {reply, now, {continue, last}})),
    t:o(gen_server:call(B, {noreply, {continue, {answer, later}}})),
    t:o(gen_server:call(B, heard)),
    {ok, C} = gen_server:start(?MODULE, 20, []), t:s(),
    t:o(gen_server:call(C, {reply, soon, 20})), t:s(), t:s(),
    t:o(gen_server:call(C, heard)),
    {ok, D} = gen_server:start(?MODULE, 200, []), gen_server:cast(D, other), timer:sleep(400),
    t:o(gen_server:call(D, heard)),
    {ok, E} = gen_server:start(?MODULE, plain, []), sys:suspend(E),
    gen_server:cast(E, {next, 0}), gen_server:cast(E, waiting), sys:resume(E), t:s(),
    t:o(gen_server:call(E, heard)).
