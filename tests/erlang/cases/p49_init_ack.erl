%% A plain process under a supervisor: it starts when it says so by init_ack; one that ends before has not started; ignore.
-module(p49_init_ack).
-compile([export_all, nowarn_export_all]).

init(Children) -> {ok, {{one_for_one, 1, 5}, [#{id => A, start => {proc_lib, start_link, [?MODULE, child, [A]]}} || A <- Children]}}.
child(ready) -> t:o(ready_begins), t:s(), t:o(ready_says_so), proc_lib:init_ack({ok, self()}), receive never -> ok end;
child(next) -> t:o(next_begins), proc_lib:init_ack({ok, self()}), receive never -> ok end;
child(none) -> proc_lib:init_ack(ignore);
child(exits) -> exit(boom);
child(returns) -> ok.
main() ->
    process_flag(trap_exit, true),
    {ok, P} = supervisor:start_link(?MODULE, [ready, next, none]),
    t:o([{Id, is_pid(Pid)} || {Id, Pid, _, _} <- lists:reverse(supervisor:which_children(P))]),
    [begin {error, {shutdown, {failed_to_start_child, A, Why}}} = supervisor:start_link(?MODULE, [A]), t:o({A, Why}) end || A <- [exits, returns]].
