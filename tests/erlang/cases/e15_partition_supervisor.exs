# PartitionSupervisor: a child for each number; a whole number's partition is its remainder, equal keys have the same one.
defmodule :e15_partition_supervisor do
  def main do
    spec = %{id: Agent, start: {Agent, :start_link, [fn -> 0 end]}}
    {:ok, _} = PartitionSupervisor.start_link(child_spec: spec, name: :counters, partitions: 3)
    at = fn key -> Agent.get({:via, PartitionSupervisor, {:counters, key}}, fn _ -> self() end) end
    :t.o(PartitionSupervisor.partitions(:counters))
    :t.o(at.(1) == at.(4))
    :t.o(at.(-1) == at.(1))
    :t.o(at.(0) == at.(1))
    :t.o(at.("ada") == at.("ada"))
    :t.o(Enum.sort(for {id, _, _, _} <- PartitionSupervisor.which_children(:counters), do: id))
    :t.o(Map.to_list(PartitionSupervisor.count_children(:counters)) |> Enum.sort() |> Keyword.values())
    before = at.(0)
    other = at.(1)
    Process.exit(before, :kill)
    :t.s()
    :t.o({at.(0) == before, at.(1) == other})
    {:ok, _} = PartitionSupervisor.start_link(
      child_spec: %{id: Agent, start: {Agent, :start_link, []}}, name: :numbered, partitions: 2,
      with_arguments: fn [], n -> [fn -> n * 10 end] end)
    :t.o(for n <- 0..1, do: Agent.get({:via, PartitionSupervisor, {:numbered, n}}, fn v -> v end))
    :t.o(catch_error(at))
  end

  def catch_error(_) do
    try do
      Agent.get({:via, PartitionSupervisor, {:nobody, 1}}, fn v -> v end)
    rescue
      _ -> :error
    catch
      :exit, _ -> :exit
    end
  end
end
