# DynamicSupervisor: max_children; and 3 restarts in 5 seconds by default, over all its children.
defmodule :e12_dynamic_limits do
  def st, do: {:ok, spawn_link(&:t.idle/0)}
  def spec, do: %{id: :x, start: {:e12_dynamic_limits, :st, []}}

  def main do
    Process.flag(:trap_exit, true)
    {:ok, s} = DynamicSupervisor.start_link(strategy: :one_for_one, max_children: 1)
    {:ok, one} = DynamicSupervisor.start_child(s, spec())
    :t.o(DynamicSupervisor.start_child(s, spec()))
    :ok = DynamicSupervisor.terminate_child(s, one)
    :t.o(elem(DynamicSupervisor.start_child(s, spec()), 0))
    {:ok, none} = DynamicSupervisor.start_link(strategy: :one_for_one, max_children: 0)
    :t.o(DynamicSupervisor.start_child(none, spec()))
    {:ok, z} = DynamicSupervisor.start_link(strategy: :one_for_one)
    for _ <- 1..2, do: DynamicSupervisor.start_child(z, spec())
    for _ <- 1..4 do
      [{_, pid, _, _} | _] = DynamicSupervisor.which_children(z)
      Process.exit(pid, :kill)
      :t.s()
      :t.o(Process.alive?(z))
    end
    :t.o(:t.recv(20))
  end
end
