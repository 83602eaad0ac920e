# Task.shutdown: the value of one that is done, nothing of one that ran, the reason of one that failed; brutal_kill; ignore.
defmodule :e18_task_shutdown do
  def shown(nil), do: :none
  def shown(outcome), do: outcome

  def main do
    Process.flag(:trap_exit, true)
    done = Task.async(fn -> 7 end)
    :t.s()
    :t.o(shown(Task.shutdown(done)))
    runs = Task.async(&:t.idle/0)
    :t.o(shown(Task.shutdown(runs)))
    :t.o(Process.alive?(runs.pid))
    failed = Task.async(fn -> exit(:boom) end)
    :t.s()
    :t.o(shown(Task.shutdown(failed)))
    brutal = Task.async(&:t.idle/0)
    :t.o(shown(Task.shutdown(brutal, :brutal_kill)))
    deaf = Task.async(fn -> Process.flag(:trap_exit, true); :timer.sleep(3000) end)
    :t.s()
    :t.o(shown(Task.shutdown(deaf, 60)))
    ignored = Task.async(&:t.idle/0)
    :t.o(shown(Task.ignore(ignored)))
    :t.o(Process.alive?(ignored.pid))
    late = Task.async(fn -> 8 end)
    :t.s()
    :t.o(shown(Task.ignore(late)))
  end
end
