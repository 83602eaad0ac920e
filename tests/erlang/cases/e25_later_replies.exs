# GenServer: replies that come later, out of order, from another process, twice, and after the caller has given up.
defmodule :e25_later_replies do
  use GenServer
  def init(_), do: {:ok, []}
  def handle_call({:later, n}, from, s), do: {:noreply, [{n, from} | s]}
  def handle_call({:other, n}, from, s) do
    spawn(fn -> GenServer.reply(from, {:from_other, n}) end)
    {:noreply, s}
  end
  def handle_call(:twice, from, s) do
    GenServer.reply(from, :first)
    {:reply, :second, s}
  end
  def handle_cast({:answer, n}, s) do
    {{_, from}, rest} = List.keytake(s, n, 0)
    GenServer.reply(from, {:answer, n})
    {:noreply, rest}
  end
  def main do
    {:ok, p} = GenServer.start(:e25_later_replies, [])
    me = self()
    for n <- [1, 2] do
      spawn(fn -> send(me, {n, GenServer.call(p, {:later, n})}) end)
      :t.s(10)
    end
    for n <- [2, 1] do
      GenServer.cast(p, {:answer, n})
      :t.o(:t.recv())
    end
    :t.o(GenServer.call(p, {:other, 3}))
    :t.o(GenServer.call(p, :twice))
    :t.o(:t.recv(20))
    :t.o(try do
      GenServer.call(p, {:later, 4}, 20)
    catch
      :exit, {why, _} -> why
    end)
    GenServer.cast(p, {:answer, 4})
    :t.o(:t.recv(20))
    :t.o(GenServer.call(p, {:other, 5}))
  end
end
