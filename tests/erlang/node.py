"""A real Erlang: compiles the cases and runs them on the `erl` and the `elixir` that are installed.

The .erl cases are dealt out among a few nodes, in each of which they run one after the other; those about nodes run in
one that has a name and starts another for each; the .exs cases run in one node of Elixir's; the .shell cases each in a
shell of their own.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

from erlang.cases import CASES, FIXTURES, Case, normalised

DEADLINE_SECONDS = 120.0
QUIET = [
    "+S",
    "1",
    "+sbwt",
    "none",
    "+sbwtdcpu",
    "none",
    "+sbwtdio",
    "none",
]  # one core, and no spinning while it waits
NODES = 4  # among which the .erl cases are dealt out: most of their time they wait
HOW_TO_INSTALL = "Run `make setup`, or install Debian's packages erlang-base and elixir."


class NoErlang(Exception):
    """The cases cannot be run here, and why."""


def installed_erl() -> str:
    """Return the path of `erl`. Raises: NoErlang if it is not there, or its compiler is not."""
    erl, erlc = shutil.which("erl"), shutil.which("erlc")
    if erl is None or erlc is None:
        raise NoErlang(f"no `{'erl' if erl is None else 'erlc'}` on PATH, so nothing was compared. {HOW_TO_INSTALL}")
    return erl


def installed_elixir() -> str:
    """Return the path of `elixir`. Raises: NoErlang if it is not there."""
    elixir = shutil.which("elixir")
    if elixir is None:
        raise NoErlang(f"no `elixir` on PATH, so nothing was compared. {HOW_TO_INSTALL}")
    return elixir


def otp_release(erl: str) -> str:
    """Return the release that `erl` is, such as "25"."""
    return _output([erl, "-noshell", "-eval", "io:put_chars(erlang:system_info(otp_release)), halt()."], Path.cwd())


def run_all(cases: list[Case], folder: Path) -> dict[str, str]:
    """Run `cases` on the installed Erlang, below `folder`; return what each printed, normalised, by name.

    A case that never came to its turn, because the node died before it, is not among them.
    Raises: NoErlang if there is none; RuntimeError if the cases do not compile.
    """
    erl = installed_erl()
    beams = folder / "beams"
    beams.mkdir()
    modules = [case for case in cases if case.source.suffix == ".erl" and case.group != "d"]
    named = [case for case in cases if case.group == "d"]
    elixir = [case for case in cases if case.source.suffix == ".exs"]
    shells = [case for case in cases if case.source.suffix == ".shell"]
    _compile([CASES / "t.erl", *(case.source for case in modules + named)], beams)
    with ThreadPoolExecutor(NODES + 4) as pool:
        nodes = [
            pool.submit(_run_modules, erl, beams, _made(folder / f"node{number}"), modules[number::NODES])
            for number in range(NODES)
        ]
        if named:
            nodes.append(pool.submit(_run_named, erl, beams, _made(folder / "named"), named))
        if elixir:
            nodes.append(pool.submit(_run_elixir, installed_elixir(), beams, _made(folder / "elixir"), elixir))
        typed = [pool.submit(_type_into_shell, erl, _made(folder / case.name), case) for case in shells]
        outputs = dict(chain.from_iterable(future.result().items() for future in chain(nodes, typed)))
    return {name: normalised(output) for name, output in outputs.items()}


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _compile(sources: list[Path], beams: Path) -> None:
    ran = subprocess.run(
        ["erlc", "-o", beams, *sources], capture_output=True, text=True, check=False, timeout=DEADLINE_SECONDS
    )
    if ran.returncode:
        raise RuntimeError(f"the cases do not compile:\n{ran.stdout}{ran.stderr}")


def _run_modules(erl: str, beams: Path, folder: Path, cases: list[Case]) -> dict[str, str]:
    names = ",".join(case.name for case in cases)
    output = _output([erl, *QUIET, "-noshell", "-noinput", "-pa", str(beams), "-eval", f"t:run([{names}])"], folder)
    return _by_case(output)


def _run_named(erl: str, beams: Path, folder: Path, cases: list[Case]) -> dict[str, str]:
    """Run cases on a node with a name, which can start others. Its port mapper is its own, and on loopback only."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    env = {**os.environ, "ERL_EPMD_PORT": port, "ERL_EPMD_ADDRESS": "127.0.0.1", "HOME": str(folder)}
    names = ",".join(case.name for case in cases)
    loopback = ["-kernel", "inet_dist_use_interface", "{127,0,0,1}"]
    command = [erl, *QUIET, "-noshell", "-noinput", "-sname", f"cases{port}@localhost", *loopback]
    try:
        return _by_case(_output([*command, "-pa", str(beams), "-eval", f"t:run([{names}])"], folder, env=env))
    finally:
        subprocess.run(["epmd", "-port", port, "-kill"], env=env, capture_output=True, check=False)


def _run_elixir(elixir: str, beams: Path, folder: Path, cases: list[Case]) -> dict[str, str]:
    """Compile the cases and run them in one node: to start it takes half a second."""
    names = ", ".join(f":{case.name}" for case in cases)
    required = [part for case in cases for part in ("-r", str(case.source))]
    command = [elixir, "--erl", " ".join(QUIET), "-pa", str(beams), *required, "-e", f":t.run([{names}])"]
    return _by_case(_output(command, folder))


def _by_case(output: str) -> dict[str, str]:
    parts = f"\n{output}".split("\n@ ")[1:]
    found = {}
    for part in parts:
        name, _, printed = part.partition("\n")
        found[name] = printed if printed.endswith("\n") or not printed else f"{printed}\n"
    return found


def _type_into_shell(erl: str, folder: Path, case: Case) -> dict[str, str]:
    for fixture in FIXTURES.iterdir():
        shutil.copy(fixture, folder)
    typed = case.source.read_text(encoding="utf-8").partition("\n")[2]  # the first line is no input
    return {case.name: _output([erl, *QUIET, "-boot", "start_clean"], folder, typed)}


def _output(command: list[str], folder: Path, typed: str | None = None, env: dict[str, str] | None = None) -> str:
    """Return all that `command` prints; what it had printed when its time ran out, if it did."""
    try:
        ran = subprocess.run(
            command,
            cwd=folder,
            env=env,
            input=typed,
            stdin=None if typed is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=DEADLINE_SECONDS,
        )
    except subprocess.TimeoutExpired as late:
        return (late.stdout or b"").decode(errors="replace")
    return ran.stdout
