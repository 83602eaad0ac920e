# Registry with duplicate keys as PubSub: who has registered under a topic gets what is dispatched; the ends and unregister take out.
defmodule :e17_pub_sub do
  def listener(topic) do
    me = self()
    pid = spawn(fn ->
      {:ok, _} = Registry.register(:hub, topic, nil)
      send(me, :ready)
      loop(me)
    end)
    receive do
      :ready -> pid
    end
  end

  def loop(me) do
    receive do
      {:said, what} ->
        send(me, {:heard, what})
        loop(me)
      :leave ->
        Registry.unregister(:hub, "lobby")
        send(me, :left)
        loop(me)
      :stop -> :ok
    end
  end

  def say(topic, what), do: Registry.dispatch(:hub, topic, fn entries -> for {pid, _} <- entries, do: send(pid, {:said, what}) end)

  def main do
    {:ok, _} = Registry.start_link(keys: :duplicate, name: :hub)
    :t.o(say("lobby", :nobody))
    [a, b, c] = for topic <- ["lobby", "lobby", "attic"], do: listener(topic)
    say("lobby", :hello)
    :t.o(:t.mb())
    say("attic", :hello)
    :t.o(:t.mb())
    send(a, :leave)
    :t.o(:t.recv())
    say("lobby", :again)
    :t.o(:t.mb())
    send(b, :stop)
    :t.s()
    say("lobby", :alone)
    :t.o(:t.mb())
    :t.o(length(Registry.lookup(:hub, "lobby")))
    :t.o(Process.alive?(c))
  end
end
