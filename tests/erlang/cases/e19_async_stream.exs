# Task.async_stream: outcomes in the order of the items, or as they come; no more at once than allowed; what a timeout gives.
defmodule :e19_async_stream do
  def main do
    Process.flag(:trap_exit, true)
    slow = fn n -> :t.s(n); n end
    :t.o(Enum.to_list(Task.async_stream([60, 20, 1], slow, max_concurrency: 3)))
    :t.o(Enum.to_list(Task.async_stream([90, 40, 1], slow, max_concurrency: 3, ordered: false)))
    :t.o(Enum.to_list(Task.async_stream([900, 1], slow, max_concurrency: 2, timeout: 120, on_timeout: :kill_task)))
    :t.o(Enum.to_list(Task.async_stream([1, 2], fn 1 -> exit(:boom); n -> n end)))
    :t.o(Enum.take(Task.async_stream([1, 2, 3], fn n -> n * 10 end, max_concurrency: 1), 2))
    :t.o(Enum.to_list(Task.async_stream([], slow)))
    :t.o(try do
      Enum.to_list(Task.async_stream([900], slow, timeout: 30))
    catch
      :exit, {:timeout, _} -> :timeout
    end)
  end
end
