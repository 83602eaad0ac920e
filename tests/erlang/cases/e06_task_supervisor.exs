# Task.Supervisor: tasks are its children; async links, async_nolink does not; start_child has no owner; max_children.
defmodule :e06_task_supervisor do
  def main do
    Process.flag(:trap_exit, true)
    {:ok, s} = Task.Supervisor.start_link(max_children: 2)
    :t.o(Task.await(Task.Supervisor.async(s, fn -> 1 + 1 end)))
    :t.s()
    :t.o(Task.Supervisor.children(s))
    task = Task.Supervisor.async_nolink(s, fn -> exit(:boom) end)
    :t.o(Task.yield(task))
    :t.o(:t.recv(20))
    linked = Task.Supervisor.async(s, fn -> exit(:boom) end)
    :t.o(Task.yield(linked))
    :t.o(:t.recv(20) == {:EXIT, linked.pid, :boom})
    {:ok, one} = Task.Supervisor.start_child(s, &:t.idle/0)
    {:ok, two} = Task.Supervisor.start_child(s, &:t.idle/0)
    :t.o(Enum.sort(Task.Supervisor.children(s)) == Enum.sort([one, two]))
    :t.o(Task.Supervisor.start_child(s, &:t.idle/0))
    :t.o(Task.Supervisor.terminate_child(s, one))
    :t.o(Task.Supervisor.terminate_child(s, one))
    :t.o({Process.alive?(one), Process.alive?(two)})
    Supervisor.stop(s)
    :t.o(Process.alive?(two))
  end
end
