%% Shared helper for the cases: run them, load a module version from a string, print normalised terms.
-module(t).
-define(SLOWLY, 3).  % times longer than an idle machine needs: others may be busy on it
-export([run/1, bin/1, load/1, o/1, f/2, s/0, s/1, pid/0, recv/0, recv/1, mb/0, idle/0, peer/0, gone/1, spawn_on/1, spawn_on/2, peer_pg/0]).

%% Run the cases one after the other in this node, each in a new folder below the current one, and end the node.
%% "@ NAME" comes before the output of each. Whatever a case leaves behind is gone before the next one begins.
run(Cases) ->
    logger:set_primary_config(level, none),
    {ok, Root} = file:get_cwd(), Path = code:get_path(), Running = processes(),
    [begin
         io:format("@ ~s~n", [Case]),
         ok = file:make_dir(filename:join(Root, Case)), ok = file:set_cwd(filename:join(Root, Case)),
         run_one(Case),
         [exit(P, kill) || P <- processes() -- Running], unload(), code:set_path(Path)
     end || Case <- Cases],
    halt(0).

run_one(Case) ->
    {P, R} = spawn_monitor(fun() -> Case:main() end),
    receive {'DOWN', R, process, P, normal} -> ok;
            {'DOWN', R, process, P, Why} -> o({case_process_died, strip(Why)})
    after 40000 -> o(case_timed_out), exit(P, kill)
    end.

%% Drop the modules that a case loaded: all but those of OTP and those beside this one.
%% Elixir's cases load none, and its own modules come from elsewhere.
unload() ->
    [unload_loaded() || code:is_loaded('Elixir.Kernel') =:= false].
unload_loaded() ->
    Ours = [code:lib_dir(), filename:dirname(code:which(?MODULE))],
    [begin code:purge(M), code:delete(M), code:purge(M) end
     || {M, File} <- code:all_loaded(), is_list(File), not lists:any(fun(D) -> lists:prefix(D, File) end, Ours)].

%% source text -> {Module, Binary}; ?MODULE is replaced by the module's name
bin(Src0) ->
    {match, [M]} = re:run(Src0, "-module\\(([a-z0-9_]+)\\)", [{capture, [1], list}]),
    Src = re:replace(Src0, "\\?MODULE", M, [global, {return, list}]),
    {ok, Toks, _} = erl_scan:string(Src),
    case compile:forms(forms(Toks, [], []), [return_errors]) of
        {ok, Mod, B} -> {Mod, B};
        {error, _, _} -> {list_to_atom(M), compile_error}
    end.

forms([], [], Acc) -> lists:reverse(Acc);
forms([{dot, _} = D | T], F, Acc) ->
    {ok, Form} = erl_parse:parse_form(lists:reverse([D | F])),
    forms(T, [], [Form | Acc]);
forms([X | T], F, Acc) -> forms(T, [X | F], Acc).

%% compile and load: {module, M} | {error, Why}
load(Src) ->
    case bin(Src) of
        {_, compile_error} -> {error, compile_error};
        {M, B} -> code:load_binary(M, "src", B)
    end.

o(T) -> f("~0p", [T]).                           % print one term, normalised
f(Fmt, Args) ->
    S0 = lists:flatten(io_lib:format(Fmt, Args)),
    S = lists:foldl(fun({Re, By}, Acc) -> re:replace(Acc, Re, By, [global, {return, list}]) end, S0,
                    [{"<[0-9]+\\.[0-9]+\\.[0-9]+>", "<PID>"}, {"#Ref<[0-9.]+>", "<REF>"},
                     {"#Fun<[^>]*>", "<FUN>"}]),
    io:format("~s~n", [S]).
s() -> s(40).                                   % long enough for all others to get to where they wait
s(N) -> timer:sleep(N * ?SLOWLY).
pid() -> spawn(fun idle/0).
idle() -> receive stop -> ok; {die, R} -> exit(R) end.
recv() -> recv(5000).                           % a message that comes
recv(N) -> receive M -> M after N * ?SLOWLY -> nothing end.  % one that does not, as a rule
mb() -> receive M -> [M | mb()] after 60 * ?SLOWLY -> [] end.  % drain the mailbox

%% Another node, which ends with the process that started it: for the cases about nodes, whose own node has a name.
peer() ->
    {ok, Peer, Node} = peer:start_link(#{name => peer:random_name(), connection => standard_io,
                                         args => ["-kernel", "inet_dist_use_interface", "{127,0,0,1}",
                                                   "+S", "1", "-pa", filename:dirname(code:which(?MODULE))]}),
    true = net_kernel:connect_node(Node),
    put({peer, Node}, Peer),
    Node.
gone(Node) -> monitor_node(Node, true), unlink(get({peer, Node})), peer:stop(get({peer, Node})),
              receive {nodedown, Node} -> ok end.
peer_pg() -> spawn(fun() -> pg:start_link(), receive after infinity -> ok end end), s().
spawn_on(Node) -> spawn_on(Node, idle).
spawn_on(Node, Function) -> spawn(Node, ?MODULE, Function, []).

strip({R, [{_, _, _, _} | _]}) -> {R, stacktrace};
strip(R) -> R.
