# Registry with unique keys: one process a key, which it keeps until it ends; values; names by via.
defmodule :e20_registry do
  def main do
    {:ok, _} = Registry.start_link(keys: :unique, name: :rooms)
    me = self()
    :t.o(Registry.lookup(:rooms, "lobby"))
    {:ok, _} = Registry.register(:rooms, "lobby", 1)
    :t.o(Registry.lookup(:rooms, "lobby") == [{me, 1}])
    :t.o(elem(Registry.register(:rooms, "lobby", 2), 0))
    {other, ref} = spawn_monitor(fn ->
      send(me, elem(Registry.register(:rooms, "lobby", 3), 0))
      {:ok, _} = Registry.register(:rooms, "attic", 4)
      send(me, :ready)
      :t.idle()
    end)
    :t.o(:t.recv())
    :t.o(:t.recv())
    :t.o(Registry.update_value(:rooms, "lobby", fn n -> n + 10 end))
    :t.o(Registry.update_value(:rooms, "attic", fn n -> n + 10 end))
    :t.o(Registry.count(:rooms))
    :t.o(Registry.keys(:rooms, other) == ["attic"])
    :t.o(GenServer.whereis({:via, Registry, {:rooms, "attic"}}) == other)
    Process.exit(other, :kill)
    receive do
      {:DOWN, ^ref, _, _, _} -> :ok
    end
    :t.s()
    :t.o({Registry.lookup(:rooms, "attic"), Registry.count(:rooms)})
    Registry.unregister(:rooms, "lobby")
    :t.o(Registry.lookup(:rooms, "lobby"))
    {:ok, a} = Agent.start_link(fn -> 7 end, name: {:via, Registry, {:rooms, "agent"}})
    :t.o(Agent.get({:via, Registry, {:rooms, "agent"}}, fn n -> n end))
    :t.o(Agent.start_link(fn -> 8 end, name: {:via, Registry, {:rooms, "agent"}}) == {:error, {:already_started, a}})
  end
end
