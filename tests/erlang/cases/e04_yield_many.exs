# Task.yield_many: an outcome for each that is done in time, in the order of the tasks; the others run on, and can be asked again.
defmodule :e04_yield_many do
  def main do
    Process.flag(:trap_exit, true)
    slow = fn n -> Task.async(fn -> :t.s(n); n end) end
    tasks = [slow.(300), slow.(20), Task.async(fn -> exit(:boom) end)]
    found = Task.yield_many(tasks, 240)
    :t.o(for {_, outcome} <- found, do: outcome || :none)
    :t.o(for({task, _} <- found, do: task) == tasks)
    :t.o(Process.alive?(hd(tasks).pid))
    [{_, outcome}] = Task.yield_many([hd(tasks)])
    :t.o(outcome)
    :t.o(Task.yield_many([]))
  end
end
