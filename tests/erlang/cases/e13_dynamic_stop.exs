# A DynamicSupervisor that ends stops all its children at once, each by its own shutdown time.
defmodule :e13_dynamic_stop do
  def st(how) do
    {:ok, spawn_link(fn ->
      Process.flag(:trap_exit, true)
      receive do
        {:EXIT, _, why} -> :t.o({how, why})
      end
      :t.s(if how == :deaf, do: 3000, else: 40)
    end)}
  end

  def main do
    {:ok, s} = DynamicSupervisor.start_link(strategy: :one_for_one)
    pids = for {how, shutdown} <- [polite: 5000, deaf: 60, brutal: :brutal_kill] do
      {:ok, pid} = DynamicSupervisor.start_child(s, %{id: how, shutdown: shutdown, start: {:e13_dynamic_stop, :st, [how]}})
      :t.s()
      {how, pid, Process.monitor(pid)}
    end
    DynamicSupervisor.stop(s)
    for {how, pid, ref} <- pids do
      receive do
        {:DOWN, ^ref, :process, ^pid, why} -> :t.o({how, why})
      end
    end
  end
end
