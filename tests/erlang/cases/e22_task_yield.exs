# Task.yield: nothing yet, the value, once only; a task that fails; one that is gone; many at once, with one that is late.
defmodule :e22_task_yield do
  def main do
    Process.flag(:trap_exit, true)
    slow = Task.async(fn -> :t.s(60); 7 end)
    :t.o(Task.yield(slow, 10))
    :t.o(Task.yield(slow, 2000))
    failed = Task.async(fn -> exit(:boom) end)
    :t.o(Task.yield(failed, 1000))
    ended = Task.async(fn -> :t.idle() end)
    send(ended.pid, {:die, :odd})
    :t.o(Task.yield(ended, 1000))
    tasks = for n <- [1, 900, 2], do: Task.async(fn -> :t.s(n); n end)
    :t.o(for {_, outcome} <- Task.yield_many(tasks, 400), do: outcome)
    :t.o(Task.shutdown(Enum.at(tasks, 1)))
    killed = Task.async(fn -> :t.idle() end)
    Process.exit(killed.pid, :kill)
    :t.o(Task.yield(killed, 1000))
  end
end
