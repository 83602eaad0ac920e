# Agent: get, update, get_and_update and cast run in the agent, in order, with further arguments.
defmodule :e01_agent do
  def main do
    {:ok, a} = Agent.start_link(fn -> [1] end)
    :t.o(Agent.get(a, &length/1))
    :t.o(Agent.update(a, fn list -> [2 | list] end))
    :t.o(Agent.get_and_update(a, fn list -> {hd(list), [3 | list]} end))
    Agent.cast(a, fn list -> [4 | list] end)
    :t.o(Agent.get(a, fn list -> list end))
    :t.o(Agent.get(a, Enum, :at, [0]))
    :t.o(Agent.get(a, fn _ -> self() end) == a)
    {:ok, _} = Agent.start_link(fn -> 7 end, name: :seven)
    :t.o(Agent.get(:seven, fn n -> n end))
    :t.o(elem(Agent.start_link(fn -> 8 end, name: :seven), 0))
    Agent.stop(a)
    :t.o(Process.alive?(a))
  end
end
