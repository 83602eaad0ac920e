# start_child of a Task.Supervisor: temporary unless told otherwise; which ends start a task again.
defmodule :e07_task_supervisor_restarts do
  def main do
    {:ok, s} = Task.Supervisor.start_link(max_restarts: 9)
    for restart <- [:temporary, :transient, :permanent], why <- [:normal, :boom] do
      {:ok, pid} = Task.Supervisor.start_child(s, &:t.idle/0, restart: restart)
      send(pid, {:die, why})
      :t.s()
      now = Task.Supervisor.children(s)
      :t.o({restart, why, length(now), pid in now})
      for other <- now, do: Task.Supervisor.terminate_child(s, other)
    end
    {:ok, pid} = Task.Supervisor.start_child(s, &:t.idle/0)
    [spec] = for {_, _, type, _} <- DynamicSupervisor.which_children(s), do: type
    send(pid, {:die, :boom})
    :t.s()
    :t.o({spec, Task.Supervisor.children(s)})
  end
end
