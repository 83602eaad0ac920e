"""The two kernels: how one is chosen, and that random programs do the same on both, step for step."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.kernel_programs import ROOT, Worker, is_built, workers
from midflight.kernel.choice import choose

needs_both = pytest.mark.skipif(not is_built(), reason="no compiled kernel is built, or an old one: run scripts/setup")
PROGRAMS = int(os.environ.get("MIDFLIGHT_PROGRAMS", 200 * int(os.environ.get("MIDFLIGHT_FUZZ", "1"))))

numbers = st.integers(0, 5)
values = st.one_of(st.integers(0, 3), st.sampled_from(["a", "b"]), st.just(None), st.just([1, 2]))
seconds = st.sampled_from([0, 0.0, 0.1, 0.25, 0.5, 1.0])
names = st.sampled_from(["ada", "bob"])
requests = st.sampled_from(
    "count count count other later now twice spawned continue silent timeout async tail stop fail itself die".split()
)
patterns = st.lists(
    st.one_of(
        st.integers(0, 3), st.sampled_from(["int", "str", "tuple", "any", "Exit", "Down", "odd", "chatty", "never"])
    ),
    max_size=2,
)
reasons = st.sampled_from(["normal", "kill", "killed", "shutdown", "boom"])
plain_steps = st.one_of(
    st.tuples(st.just("send"), numbers, values),
    st.tuples(st.just("send"), numbers, values),
    st.tuples(st.just("flood"), numbers, st.sampled_from([3, 70, 450])),
    st.tuples(st.just("any")),
    st.tuples(st.just("any")),
    st.tuples(st.just("any_of"), st.sampled_from([2, 60, 250])),
    st.tuples(st.just("match"), patterns, st.one_of(st.none(), seconds)),
    st.tuples(st.just("match"), patterns, seconds),
    st.tuples(st.just("hurried"), seconds),
    st.tuples(st.just("spawn"), numbers, st.sampled_from(["spawn", "spawn", "spawn_link", "spawn_monitor"])),
    st.tuples(st.sampled_from(["link", "unlink", "monitor", "cancel", "look"]), numbers),
    st.tuples(st.just("demonitor"), numbers, st.booleans()),
    st.tuples(st.just("trap"), st.booleans()),
    st.tuples(st.just("exit"), numbers, reasons),
    st.tuples(st.just("fail")),
    st.tuples(st.just("register"), names),
    st.tuples(st.just("send_name"), names, values),
    st.tuples(st.just("later"), seconds, numbers, values),
    st.tuples(st.just("not_later"), numbers),
    st.tuples(st.just("timers_at_once"), st.sampled_from([5, 90, 200])),
    st.tuples(st.sampled_from(["sleep", "future", "hurry"]), seconds),
    st.tuples(st.just("context"), st.integers(0, 9)),
    st.tuples(st.just("call"), numbers, values, seconds),
    st.tuples(st.just("serve"), st.integers(1, 3)),
    st.tuples(st.just("tail")),
    st.tuples(st.just("leave"), values),
)
server_steps = st.one_of(
    st.tuples(st.just("ask"), numbers, requests, st.sampled_from([1, 1, 3, 60])),
    st.tuples(st.just("ask"), numbers, requests, st.sampled_from([1, 2])),
    st.tuples(st.just("cast"), numbers, st.sampled_from(["a", 1, "timeout", "stop", "fail"])),
    st.tuples(st.just("system"), numbers, st.sampled_from(["suspend", "resume", "get_state", "log", "no_debug"])),
    st.tuples(st.just("send"), numbers, values),
    st.tuples(st.just("look"), numbers),
    st.tuples(st.just("server"), st.sampled_from(["plain", "async"])),
)
guarded = st.tuples(st.just("guarded"), st.lists(plain_steps, max_size=4), st.lists(plain_steps, max_size=2))
scripts = st.lists(st.one_of(plain_steps, plain_steps, plain_steps, guarded), max_size=10)
beginnings = st.lists(st.tuples(st.just("spawn"), numbers, st.just("spawn")), min_size=1, max_size=5)
programs = st.builds(
    lambda first, rest, others: [first + rest, *others], beginnings, scripts, st.lists(scripts, min_size=2, max_size=5)
)

servers_first = st.lists(st.tuples(st.just("server"), st.sampled_from(["plain", "async"])), min_size=1, max_size=2)
clients = st.lists(st.one_of(server_steps, server_steps, server_steps, plain_steps), max_size=12)
programs_with_servers = st.builds(
    lambda servers, first, rest, others: [servers + first + rest, *others],
    servers_first,
    beginnings,
    clients,
    st.lists(clients, min_size=2, max_size=4),
)


@pytest.fixture(scope="module")
def kernels() -> Iterator[tuple[Worker, Worker]]:
    """Both kernels, each in an interpreter of its own."""
    with workers() as both:
        yield both


@needs_both
@given(program=programs)
@settings(max_examples=PROGRAMS, deadline=None, suppress_health_check=list(HealthCheck))
def test_random_programs_do_the_same_on_both_kernels(kernels: tuple[Worker, Worker], program: list[Any]) -> None:
    """Values, errors, order, ends, reports and reductions."""
    pure, compiled = kernels

    assert compiled.trace(program) == pure.trace(program)


@needs_both
@given(program=programs_with_servers)
@settings(max_examples=PROGRAMS, deadline=None, suppress_health_check=list(HealthCheck))
def test_random_servers_do_the_same_on_both_kernels(kernels: tuple[Worker, Worker], program: list[Any]) -> None:
    """Calls of all kinds, casts and system messages; replies, ends and the order of all."""
    pure, compiled = kernels

    assert compiled.trace(program) == pure.trace(program)


@needs_both
def test_the_two_workers_run_two_kernels(kernels: tuple[Worker, Worker]) -> None:
    """Else the test above would compare one with itself."""
    assert [worker.kernel for worker in kernels] == ["python", "compiled"]


@needs_both
def test_a_program_leaves_a_trace_with_all_that_happened(kernels: tuple[Worker, Worker]) -> None:
    """The trace tells programs apart: what was received, by whom, and the end."""
    program = [[["spawn", 1, "spawn_link"], ["send", 1, 5], ["any"]], [["any"], ["fail"]]]

    for worker in kernels:
        trace = worker.trace(program)
        assert "1 any gave 5" in trace
        assert "0 any was thrown ProcessExit of the program" in " ".join(trace) or any(
            line.startswith("0 any was thrown ProcessExit") for line in trace
        )
        assert trace[-1] == "end 1: dead"


@needs_both
def test_the_compiled_kernel_is_the_default_where_it_is_built() -> None:
    """Without the variable, and with an empty one."""
    compiled = choose("compiled")[0]

    assert compiled is not None
    assert choose(None) == choose("") == (compiled, "the default; MIDFLIGHT_KERNEL=python chooses the other")
    assert choose("python") == (None, "MIDFLIGHT_KERNEL=python")


def not_there(name: str) -> Any:
    """Import a module that is not there."""
    raise ImportError(f"No module named {name!r}")


def test_where_it_is_not_built_the_kernel_in_python_runs_without_a_word() -> None:
    """Nobody asked for the other. Doctor says why."""
    module, why = choose(None, not_there)

    assert module is None
    assert re.search("No module named .*reinstall Midflight where a C compiler is", why)


def test_one_that_was_built_from_other_sources_does_not_run() -> None:
    """What one half needs of the other may be missing: in a checkout the sources are newer than what was built."""
    module, why = choose(None, lambda _: ModuleType("older"))

    assert module is None
    assert re.search("built from the sources of another version: interface None, not [0-9]+.*run scripts/setup", why)


def test_a_kernel_that_is_neither_is_refused() -> None:
    """With the names of those that there are."""
    with pytest.raises(ValueError, match="It can be python or compiled"):
        choose("fast")


def test_a_compiled_kernel_that_is_missing_is_warned_of() -> None:
    """The kernel in Python runs then, and the reason is kept for doctor."""
    with pytest.warns(RuntimeWarning, match="the compiled kernel cannot be imported .*The kernel in Python runs"):
        module, why = choose("compiled", not_there)

    assert module is None
    assert re.search("cannot be imported .*reinstall Midflight where a C compiler is", why)


@pytest.mark.parametrize(("compiler", "reason"), [("no-such-compiler", "cannot be run"), ("false", "false failed")])
def test_no_compiler_is_no_failure_of_an_install(compiler: str, reason: str) -> None:
    """One line says that it was not built, and why."""
    build = [sys.executable, str(ROOT / "scripts/build_kernel.py")]

    done = subprocess.run(build, env=os.environ | {"CC": compiler}, capture_output=True, text=True, check=False)

    assert re.fullmatch(
        rf"The compiled kernel was not built: .*{reason}.*\. The kernel in Python serves\.\n", done.stderr
    )
