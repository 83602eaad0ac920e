# An agent ends with a function that raises, and its caller too; a wrong get_and_update ends it; start hands its error over.
defmodule :e02_agent_that_fails do
  def caught(fun) do
    try do
      fun.()
    catch
      :exit, {{%kind{}, _stack}, _call} -> {:exit, kind == ArithmeticError}
      :exit, {{:bad_return_value, value}, _call} -> {:bad_return, value}
      :exit, {:noproc, _call} -> :noproc
      :exit, {:timeout, _call} -> :timeout
      :exit, {{:badarith, _stack}, _call} -> :badarith
    end
  end

  def main do
    Process.flag(:trap_exit, true)
    {:ok, a} = Agent.start(fn -> 0 end)
    :t.o(caught(fn -> Agent.get(a, fn n -> 1 / n end) end))
    :t.o(Process.alive?(a))
    :t.o(caught(fn -> Agent.get(a, fn n -> n end) end))
    {:ok, b} = Agent.start(fn -> 0 end)
    :t.o(caught(fn -> Agent.get_and_update(b, fn _ -> :nonsense end) end))
    {:ok, c} = Agent.start(fn -> 0 end)
    Agent.cast(c, fn n -> 1 / n end)
    :t.s()
    :t.o(Process.alive?(c))
    {:ok, d} = Agent.start(fn -> 0 end)
    :t.o(caught(fn -> Agent.get(d, fn _ -> :timer.sleep(500) end, 20) end))
    :t.o(Agent.start(fn -> exit(:boom) end))
  end
end
