"""`midflight trace --function` with a real server: the calls of one function, in all versions and processes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpers.command_line import Shell
from helpers.server_process import DEADLINE_SECONDS, MIDFLIGHT, Program, environment
from midflight.epc import RemoteServer

SHOP = """\
from functools import wraps
from midflight import GenServer

PRICES = {"tea": 3}


def price(what, count=1):
    return PRICES[what] * count


def logged(function):
    @wraps(function)
    def call(*arguments):
        return function(*arguments)
    return call


@logged
def decorated(x):
    return x


class Till(GenServer):
    def init(self):
        self.total = 0

    async def handle_call(self, request, client):
        self.total += price(*request)
        return self.total
"""


@pytest.fixture
def shop(start: Callable[..., Program], project: Path) -> Iterator[RemoteServer]:
    """A connection to a server in which a till runs."""
    start("serve").port()
    path = project / "shop.py"
    path.write_text(SHOP)
    with RemoteServer.attach(project) as client:
        client.call("code/load", str(path), None, None)
        session = client.call("shell/open")["session"]
        answer = client.call("shell/eval", session, "await shop.Till.start(name='till')")
        assert answer["status"] == "ok", answer
        yield client


@pytest.fixture
def trace(project: Path, runtime_dir: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """A function that starts `midflight trace --function` and returns it once it says that it traces."""
    programs: list[subprocess.Popen[str]] = []

    def begin(*arguments: str) -> subprocess.Popen[str]:
        command = [*MIDFLIGHT, "trace", "--function", *arguments]
        pipe = subprocess.PIPE
        programs.append(
            subprocess.Popen(command, cwd=project, env=environment(runtime_dir), stdout=pipe, stderr=pipe, text=True)
        )
        assert programs[-1].stderr is not None
        said = programs[-1].stderr.readline()
        assert said.startswith("midflight: tracing the calls of "), said
        return programs[-1]

    yield begin
    for program in programs:
        program.kill()
        program.communicate()


def lines_of(program: subprocess.Popen[str], code: int = 0) -> list[str]:
    """Return the lines that it prints until it ends, without the time."""
    output, error = program.communicate(timeout=DEADLINE_SECONDS)
    assert program.returncode == code, error
    return [line.partition(" ")[2] for line in output.splitlines()]


def test_calls_and_what_they_return(shop: RemoteServer, trace: Callable[..., subprocess.Popen[str]]) -> None:
    """With the process, the version and the arguments, defaults among them; it ends after so many."""
    program = trace("shop.price", "--returns", "--count", "2")

    shop.call("process/call", "till", "('tea', 2)")
    shop.call("process/call", "till", "('tea',)")

    pid = next(row["pid"] for row in shop.call("process/list") if row["name"] == "till")
    assert lines_of(program) == [
        f"{pid} till       shop v1 price(what='tea', count=2)",
        f"{pid} till       shop v1 price -> 6",
        f"{pid} till       shop v1 price(what='tea', count=1)",
        f"{pid} till       shop v1 price -> 3",
    ]


def test_a_method_and_a_pattern_of_its_arguments(
    shop: RemoteServer, trace: Callable[..., subprocess.Popen[str]]
) -> None:
    """As `receive` matches; the names of the module are there."""
    program = trace("shop.Till.handle_call", "--args", "(Till, ('tea', int), ...)", "--count", "1", "--json")

    shop.call("process/call", "till", "('tea',)")
    shop.call("process/call", "till", "('tea', 5)")

    output, _ = program.communicate(timeout=DEADLINE_SECONDS)
    event = json.loads(output)
    assert (event["kind"], event["name"], event["module"], event["version"]) == ("called", "till", "shop", 1)
    assert "request=('tea', 5)" in event["text"]


def test_a_version_that_is_loaded_meanwhile_is_traced(
    shop: RemoteServer, project: Path, trace: Callable[..., subprocess.Popen[str]]
) -> None:
    """And what it raises."""
    program = trace("shop.price", "--returns", "--count", "1")

    path = project / "shop.py"
    path.write_text(SHOP.replace("PRICES[what] * count", "1 / 0"))
    shop.call("code/load", str(path), None, None)
    shop.submit("process/call", "till", "('tea', 2)")

    found = lines_of(program)
    assert found[0].endswith("shop v2 price(what='tea', count=2)")
    assert "shop v2 price raised" in found[1]


def test_too_many_calls_in_a_second_end_it(shop: RemoteServer, trace: Callable[..., subprocess.Popen[str]]) -> None:
    """With exit code 1 and a word on it; the function goes on as before."""
    program = trace("shop.price", "--rate", "20")
    session = shop.call("shell/open")["session"]

    answer = shop.call("shell/eval", session, "sum(shop.price('tea') for _ in range(1000))")

    assert answer["value"] == "3000"
    output, error = program.communicate(timeout=DEADLINE_SECONDS)
    assert program.returncode == 1
    assert len(output.splitlines()) == 20
    assert "more than 20 calls in a second; the trace has ended" in error
    # Another one can begin at once.
    again = trace("shop.price", "--count", "1")
    shop.call("process/call", "till", "('tea',)")
    assert len(lines_of(again)) == 1


def test_a_decorated_function_is_found_below_its_decorator(
    shop: RemoteServer, trace: Callable[..., subprocess.Popen[str]]
) -> None:
    """By what `functools.wraps` notes."""
    program = trace("shop.decorated", "--count", "1")
    session = shop.call("shell/open")["session"]

    shop.call("shell/eval", session, "shop.decorated(7)")

    assert lines_of(program)[0].endswith("shop v1 decorated(x=7)")


REFUSED = [
    (("--function", "nowhere.f"), 4, "No loaded module begins 'nowhere.f'; nothing is traced."),
    (("--function", "shop.nothing"), 4, "shop has no nothing; nothing is traced."),
    (("--function", "shop.PRICES"), 3, "shop.PRICES is not a function in Python"),
    (("--function", "price"), 4, "Write MODULE.FUNCTION"),
    (("--function", "shop.price", "--args", "('tea'"), 3, "is not a Python expression"),
    (("--function", "shop.price", "--args", "missing"), 3, "raised NameError"),
    (("--function", "shop.price", "till"), 3, "Leave the others out."),
    (("till", "--returns"), 3, "--returns and --rate are for --function"),
    (("--function", "shop.price", "--count", "20000"), 3, "are 1 to 10,000, received 20000"),
]


def test_what_cannot_be_traced_is_refused(shop: RemoteServer, run: Shell) -> None:
    """With the reason; nothing is traced."""
    for arguments, code, says in REFUSED:
        assert run("trace", *arguments, code=code) == ""
        assert says in run.error, arguments


def test_two_traces_at_once_are_refused(
    shop: RemoteServer, run: Shell, trace: Callable[..., subprocess.Popen[str]]
) -> None:
    """Python has one place for it on 3.11; the first one goes on."""
    first = trace("shop.price", "--count", "1")

    run("trace", "--function", "shop.decorated", code=3)

    assert "is not traced: " in run.error
    shop.call("process/call", "till", "('tea',)")
    assert len(lines_of(first)) == 1
