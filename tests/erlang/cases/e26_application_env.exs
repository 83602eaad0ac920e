# Application: its environment by Elixir's names, of an application that is loaded and of one that is not.
defmodule :e26_application_env do
  def load do
    :application.load({:application, :x26, [vsn: '1', modules: [], registered: [], applications: [], env: [port: 80, host: :a]]})
  end
  def main do
    :t.o(Application.get_env(:x26, :port))
    :t.o(Application.get_env(:x26, :port, :none))
    :t.o(load())
    :t.o({Application.get_env(:x26, :port), Application.get_env(:x26, :other), Application.get_env(:x26, :other, 1)})
    :t.o(Application.put_env(:x26, :port, nil))
    :t.o(Application.get_env(:x26, :port, 1))
    :t.o(Application.delete_env(:x26, :port))
    :t.o(Application.get_env(:x26, :port, 1))
    :t.o(Application.get_all_env(:x26) |> Enum.sort())
    :t.o(Application.ensure_all_started(:x26))
    :t.o(Application.started_applications() |> Enum.any?(fn {name, _, _} -> name == :x26 end))
    :t.o(Application.stop(:x26))
    :t.o(Application.unload(:x26))
    :t.o(Application.get_env(:x26, :host, :gone))
  end
end
