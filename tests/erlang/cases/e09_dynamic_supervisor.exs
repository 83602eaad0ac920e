# DynamicSupervisor: children without ids, also twice by the same spec; found by pid; restart_child and ids are not there.
defmodule :e09_dynamic_supervisor do
  def spec(more \\ []), do: Map.merge(%{id: :x, start: {:e09_dynamic_supervisor, :st, []}}, Map.new(more))
  def st, do: {:ok, spawn_link(&:t.idle/0)}

  def main do
    {:ok, s} = DynamicSupervisor.start_link(strategy: :one_for_one)
    :t.o(DynamicSupervisor.which_children(s))
    {:ok, one} = DynamicSupervisor.start_child(s, spec())
    {:ok, two} = DynamicSupervisor.start_child(s, spec(type: :supervisor))
    :t.o(length(for {:undefined, pid, _, _} <- DynamicSupervisor.which_children(s), do: pid))
    counts = fn -> Map.to_list(DynamicSupervisor.count_children(s)) |> Enum.sort() |> Keyword.values() end
    :t.o(counts.())
    :t.o(DynamicSupervisor.terminate_child(s, one))
    :t.o(DynamicSupervisor.terminate_child(s, one))
    :t.o(DynamicSupervisor.terminate_child(s, self()))
    :t.o({Process.alive?(one), Process.alive?(two), counts.()})
    :t.o(elem(DynamicSupervisor.start_child(s, %{id: :y, start: {:e09_dynamic_supervisor, :fails, []}}), 0))
    :t.o(DynamicSupervisor.start_child(s, %{id: :y, start: {:e09_dynamic_supervisor, :none, []}}))
    :t.o(counts.())
  end

  def fails, do: {:error, :no_table}
  def none, do: :ignore
end
