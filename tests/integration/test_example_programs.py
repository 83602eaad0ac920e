"""The example programs are edited while they run: what they do next is new, what they have stays."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from websockets.sync.client import ClientConnection, connect

from helpers.command_line import Shell
from helpers.server_process import DEADLINE_SECONDS, Program

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


@pytest.mark.parametrize("name", ["web_aiohttp.py", "web_fastapi.py"])
def test_a_web_server_is_loadable_by_one_line(project: Path, runtime_dir: Path, run: Shell, name: str) -> None:
    """Three loads under open websockets: none is dropped, each is told what is new, and the count goes on."""
    for each in (name, "web_answers.py"):
        shutil.copy(EXAMPLES / each, project / each)
    answers = project / "web_answers.py"
    command = (sys.executable, name, "0")
    with ExitStack() as stack:
        program = stack.enter_context(Program(runtime=runtime_dir, cwd=project, command=command))
        port = int(re.findall(r"127\.0\.0\.1:(\d+)", program.line_with("unning on"))[0])
        ada, bob = (stack.enter_context(connect(f"ws://127.0.0.1:{port}/talk", proxy=None)) for _ in range(2))

        heard = [say(ada, "one"), say(bob, "two")]
        for version, word in enumerate(("first", "second", "third"), start=2):
            answers.write_text(re.sub(r'f"\w+ \{count', f'f"{word} {{count', answers.read_text()))
            assert run("load", str(answers)).startswith(f"web_answers v{version} loaded: answer changed")
            heard += [say(ada, word), say(bob, word)]

    assert heard == [
        *("line 1: one", "line 2: two", "first 3: first", "first 4: first"),
        *("second 5: second", "second 6: second", "third 7: third", "third 8: third"),
    ]


def say(client: ClientConnection, text: str) -> str:
    """Say something; return the answer."""
    client.send(text)
    return str(client.recv(DEADLINE_SECONDS))
