# DynamicSupervisor: who is started again, and the end of it and of all its children when that is too often.
defmodule :e23_dynamic_gives_up do
  def st, do: {:ok, spawn_link(&:t.idle/0)}
  def main do
    Process.flag(:trap_exit, true)
    for restart <- [:permanent, :transient, :temporary], why <- [:normal, :boom] do
      {:ok, s} = DynamicSupervisor.start_link(strategy: :one_for_one, max_restarts: 1)
      start = fn -> {:ok, pid} = DynamicSupervisor.start_child(s, %{id: :x, restart: restart, start: {:e23_dynamic_gives_up, :st, []}}); pid end
      [one, other] = [start.(), start.()]
      send(one, {:die, why})
      :t.s()
      after_one = DynamicSupervisor.count_children(s).active
      send(other, {:die, why})
      :t.s()
      :t.o({restart, why, after_one, Process.alive?(s) && DynamicSupervisor.count_children(s).active})
      :t.o(receive do
        {:EXIT, ^s, reason} -> reason
      after 30 -> :lives
      end)
    end
  end
end
