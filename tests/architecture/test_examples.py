"""Each public function has an example in its docstring, and the examples of functions, classes and methods are run."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from helpers.docstring_examples import examples, public_names, run_example
from helpers.versions import project_in

EXAMPLES = examples()

# The classes that a program calls; the others are what it gets, or raises.
CALLED = {"Runtime", "GenServer", "Supervisor", "ChildSpec", "Task", "Registry"}

METHODS = {
    *(f"midflight.Registry.{name}" for name in ("start_link", "register", "unregister", "update", "lookup", "whereis")),
    *(f"midflight.Registry.{name}" for name in ("keys", "count", "dispatch", "via")),
    *(f"midflight.Task.{name}" for name in ("start", "start_nolink", "result", "yield_", "shutdown", "ignore")),
    *(
        "midflight.GenServer.start",
        "midflight.GenServer.start_link",
        "midflight.Runtime.run",
        "midflight.Runtime.spawn",
    ),
}


def test_every_public_function_has_an_example() -> None:
    """As has each class that a program calls, with its main methods."""
    functions = {name for name, value in public_names().items() if callable(value) and not inspect.isclass(value)}
    wanted = functions | {f"midflight.{name}" for name in CALLED} | METHODS

    assert wanted - set(EXAMPLES) == set()


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_an_example_does_what_it_says(name: str, tmp_path: Path) -> None:
    """It runs to its end, and each line that ends in `# -> VALUE` has that value."""
    with project_in(tmp_path) as project:
        assert run_example(EXAMPLES[name], project) > 0, "it says no value"


def test_an_example_with_another_value_is_found(tmp_path: Path) -> None:
    """Else the test above could not fail."""
    with project_in(tmp_path) as project, pytest.raises(AssertionError, match="3, not 4"):
        run_example("1 + 2  # -> 4", project)
