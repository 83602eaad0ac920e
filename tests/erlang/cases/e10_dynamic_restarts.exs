# DynamicSupervisor: which ends start a child again; one that is not is forgotten.
defmodule :e10_dynamic_restarts do
  def st, do: {:ok, spawn_link(&:t.idle/0)}

  def main do
    for restart <- [:permanent, :transient, :temporary], why <- [:normal, :shutdown, {:shutdown, :x}, :boom] do
      {:ok, s} = DynamicSupervisor.start_link(strategy: :one_for_one)
      {:ok, pid} = DynamicSupervisor.start_child(s, %{id: :x, restart: restart, start: {:e10_dynamic_restarts, :st, []}})
      send(pid, {:die, why})
      :t.s()
      :t.o({restart, why, case DynamicSupervisor.which_children(s) do
        [{:undefined, other, _, _}] when other != pid -> :restarted
        [] -> :removed
      end})
    end
  end
end
