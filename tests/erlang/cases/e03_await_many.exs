# Task.await_many: values in the order of the tasks; one time for all; the first failure counts at once.
defmodule :e03_await_many do
  def main do
    Process.flag(:trap_exit, true)
    slow = fn n -> Task.async(fn -> :t.s(n); n end) end
    :t.o(Task.await_many([slow.(60), slow.(20), slow.(0)]))
    :t.o(Task.await_many([]))
    :t.o(catch_exit(fn -> Task.await_many([slow.(0), slow.(900)], 60) end))
    started = System.monotonic_time(:millisecond)
    :t.o(catch_exit(fn -> Task.await_many([slow.(900), Task.async(fn -> exit(:boom) end)]) end))
    :t.o(System.monotonic_time(:millisecond) - started < 1500)
  end

  def catch_exit(fun) do
    try do
      fun.()
    catch
      :exit, {reason, {Task, :await_many, _}} -> reason
    end
  end
end
