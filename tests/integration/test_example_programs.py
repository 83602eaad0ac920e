"""The example programs are edited while they run: what they do next is new, what they have stays."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from helpers.server_process import Program

EXAMPLES = Path(__file__).parents[2] / "examples"

Start = Callable[..., Program]


@pytest.fixture
def example(project: Path, runtime_dir: Path) -> Iterator[Start]:
    """A function that copies files of the examples into the project, and runs the first of them, watched."""
    with ExitStack() as stack:

        def start(*names: str) -> Program:
            for name in names:
                shutil.copy(EXAMPLES / name, project / name)
            made = Program("run", "--watch", names[0], runtime=runtime_dir, cwd=project, says=True)
            return stack.enter_context(made)

        yield start


def edit(path: Path, old: str, new: str) -> None:
    """Save a file with another text."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_training_loop_goes_on_with_new_steps(example: Start, project: Path) -> None:
    """The next epoch is the one after, and the model is what it was."""
    program = example("training.py", "training_steps.py")
    program.line_with("Watching")
    program.line_with("epoch ")

    edit(project / "training_steps.py", 'f"epoch {', 'f"after {')

    program.line_with("training_steps v2 loaded: report changed")
    assert int(program.line_with("after ").split()[1][:-1]) > 1


def test_the_bot_stays_connected_with_new_answers(example: Start, project: Path) -> None:
    """It has not forgotten what it has heard."""
    program = example("bot.py", "bot_answers.py")
    program.line_with("connected")
    program.say("hello")
    assert program.line_with("you say?") == "hello, you say? That was line 1."

    edit(project / "bot_answers.py", "you say?", "really?")

    program.line_with("bot_answers v2 loaded: answer changed")
    program.say("yes")
    assert program.line() == "yes, really? That was line 2."
