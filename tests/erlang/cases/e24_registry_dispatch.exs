# Registry with duplicate keys: values, several keys of one process, dispatch in the caller, unregister of one key, ends.
defmodule :e24_registry_dispatch do
  def main do
    {:ok, _} = Registry.start_link(keys: :duplicate, name: :news)
    me = self()
    other = spawn(fn ->
      for {key, value} <- [{"tea", 1}, {"milk", 2}], do: {:ok, _} = Registry.register(:news, key, value)
      send(me, :ready)
      :t.idle()
    end)
    :t.o(:t.recv())
    {:ok, _} = Registry.register(:news, "tea", 10)
    values = fn key -> Registry.lookup(:news, key) |> Enum.map(&elem(&1, 1)) |> Enum.sort() |> List.to_tuple() end
    :t.o({values.("tea"), values.("milk"), values.("salt")})
    :t.o(Registry.dispatch(:news, "tea", fn entries -> send(me, {self() == me, length(entries)}) end))
    :t.o(:t.recv())
    :t.o(Registry.dispatch(:news, "salt", fn _ -> send(me, :called) end))
    :t.o(:t.recv(20))
    :t.o({Enum.sort(Registry.keys(:news, other)) == ["milk", "tea"], Registry.keys(:news, me) == ["tea"], Registry.count(:news)})
    :t.o(Registry.unregister(:news, "milk"))
    :t.o(Registry.unregister(:news, "tea"))
    :t.o({values.("tea"), values.("milk"), Registry.count(:news)})
    send(other, :stop)
    :t.s()
    :t.o({values.("tea"), Registry.keys(:news, other), Registry.count(:news)})
  end
end
