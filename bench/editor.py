"""What somebody at the keyboard waits for: a real Emacs in a terminal, real keys, the clock from press to display.

    .venv/bin/python bench/editor.py [--loads 100] [--processes 0,1000,100000] [--lines 100000] [--rows 10000,100000]

Loads: C-c C-k on a module of 500 lines, changed each time; from the moment when the keys are written to the terminal to
the moment when the echo area shows that it is loaded. What the server itself needed, as its report says, is taken off.
Flood: a process prints as fast as it can; keys are pressed meanwhile, and a timer in Emacs looks how late it comes.
Process list: C-c C-x p with so many alive, keys meanwhile; then g, with ten changed and with none; an order; a filter.
Emacs runs byte-compiled elisp. bench/editor.el says what it writes down.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import os
import platform
import pty
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from helpers.emacs import ROOT, Workplace  # its folder had to be on the path first
from helpers.many_loads import text
from helpers.process_loops import process_loops

DEADLINE_SECONDS = 120.0
LINES = 500
THINKING_SECONDS = 1.0  # from the edit to the key: Emacs asks meanwhile what has changed
EDITS = {"one": process_loops, "every": text}
LOAD = b"\x03\x0b"  # C-c C-k
PROBE, REPORT_STALL, REPORT_BUFFER, REVERT = b"\x1b[15~", b"\x1b[17~", b"\x1b[18~", b"\x1b[19~"  # F5 to F8
LIST, BY_NAME, NAMED = b"\x03\x18p", b"\x1b[20~", b"/nworker_77\r"  # C-c C-x p, F9, / n
REFRESHES = 20
FLOOD = """
from midflight import sleep

async def flood(lines, pause):
    for number in range(lines):
        print(f"line {number} of the flood, which is about as long as the line of a log")
        if pause and number % 100 == 99:
            await sleep(0)
    print("the flood is over")
"""

CROWD = """
from midflight import receive

async def idle(number):
    await receive("never")
"""


class Event(NamedTuple):
    """What Emacs wrote down: when, what, and with which values."""

    seconds: float
    kind: str
    values: tuple[object, ...]


class Emacs:
    """An `emacs -nw` on a terminal of its own, whose log is read."""

    def __init__(self, place: Workplace, file: str) -> None:
        self._log = place.folder / "log"
        self._log.touch()
        self._seen = 0
        elisp = place.folder / "elisp"
        shutil.copytree(ROOT / "elisp", elisp, ignore=shutil.ignore_patterns("*.elc"))
        run = ["emacs", "-Q", "--batch", "-L", str(elisp), "-f", "batch-byte-compile", *map(str, elisp.glob("*.el"))]
        subprocess.run(run, check=True, capture_output=True)
        place.init.write_text(place.init.read_text().replace(str(ROOT / "elisp"), str(elisp)))
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            os.environ.update(place.variables, TERM="xterm-256color", MIDFLIGHT_BENCH_LOG=str(self._log))
            os.chdir(place.project)
            bench = str(ROOT / "bench" / "editor.el")
            os.execvp("emacs", ["emacs", "-nw", "-Q", "-l", str(place.init), "-l", bench, file])
        self._screen = threading.Thread(target=self._drain, daemon=True)
        self._screen.start()
        self.press(PROBE)
        self.wait("key")

    def _drain(self) -> None:
        """Read what Emacs draws, as a terminal does."""
        try:
            while os.read(self._terminal, 65536):
                pass
        except OSError:  # Emacs has ended
            pass

    def press(self, keys: bytes) -> float:
        """Press keys; return when."""
        now = time.time()
        os.write(self._terminal, keys)
        return now

    def events(self) -> Iterator[Event]:
        """Yield what has been written down since the last look."""
        with self._log.open(encoding="utf-8") as log:
            log.seek(self._seen)
            while (line := log.readline()).endswith("\n"):
                self._seen = log.tell()
                seconds, kind, *rest = line.rstrip("\n").split(" ", 2)
                yield Event(float(seconds), kind, _values(rest[0] if rest else ""))

    def wait(self, kind: str, pattern: str = "") -> Event:
        """Wait for an event, with a first value that matches `pattern`; those before it are passed over."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        seen = []
        while time.monotonic() < deadline:
            for event in self.events():
                seen.append(event)
                if event.kind == kind and (not pattern or re.search(pattern, str(event.values[0]))):
                    return event
            time.sleep(0.001)
        raise SystemExit(f"waited in vain for {kind} {pattern!r}; Emacs did: {seen}")

    def resident_bytes(self) -> int:
        """Return how much memory Emacs has in RAM."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def cpu_seconds(self) -> float:
        """Return how long Emacs has run on a CPU: what others do on the machine adds nothing to it."""
        user, system = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._terminal)


def _values(text: str) -> tuple[object, ...]:
    """Return numbers and strings as Emacs prints them."""
    found = re.findall(r'"(?:[^"\\]|\\.)*"|[^ ]+', text, re.DOTALL)
    return tuple(ast.literal_eval(each) for each in found)


def cell(seconds: Sequence[float]) -> str:
    """Return median, 95th percentile and maximum, in milliseconds."""
    ordered = sorted(seconds)
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return ", ".join(f"{each * 1000:,.1f}" for each in (statistics.median(ordered), p95, ordered[-1]))


def load(emacs: Emacs, place: Workplace, number: int, edit: str) -> tuple[float, float]:
    """Change the module, load it by its key; return the seconds to the echo area, and those of the server."""
    place.write("shop.py", EDITS[edit](number, LINES))
    emacs.press(REVERT)
    emacs.wait("reverted")
    time.sleep(THINKING_SECONDS)
    pressed = emacs.press(LOAD)
    shown = emacs.wait("message", rf"^shop v{number} loaded|^shop not loaded|^Midflight: .*not loaded")
    found = re.search(r"\(([\d.,]+) ms\)$", str(shown.values[0]))
    if found is None:
        raise SystemExit(f"load {number}: {shown.values[0]}")
    return shown.seconds - pressed, float(found[1].replace(",", "")) / 1000


def measure_loads(counts: Sequence[int], loads: int, edit: str) -> None:
    """Print the table of loads, with so many processes alive."""
    print(f"C-c C-k on {LINES} lines, {edit} definition edited, {loads} loads a row; milliseconds: median, p95, most\n")
    print("| processes | key to echo area | beyond the server | the server's own | longest stall of Emacs |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder, workplace(Path(folder)) as place:
        place.write("shop.py", EDITS[edit](1, LINES))
        with Emacs(place, "shop.py") as emacs:
            number = 1
            load(emacs, place, number, edit)
            alive = 0
            for count in counts:
                with place.client() as client:
                    session = client.call("shell/open")["session"]
                    make = f"len([spawn(shop.loop, who, 0) for who in range({count - alive})])"
                    answer = client.call("shell/eval", session, make, timeout_seconds=DEADLINE_SECONDS)
                    assert answer["status"] == "ok", answer
                alive = count
                rows = []
                emacs.press(REPORT_STALL)
                emacs.wait("stall")
                for _ in range(loads):
                    number += 1
                    rows.append(load(emacs, place, number, edit))
                emacs.press(REPORT_STALL)
                stall, _ = emacs.wait("stall").values
                columns = ((whole, whole - server, server) for whole, server in rows)
                cells = [cell(column) for column in zip(*columns, strict=True)]
                print(f"| {count:,} | {' | '.join(cells)} | {float(str(stall)) * 1000:.0f} |", flush=True)


def measure_flood(lines: int) -> None:
    """Print the table of floods."""
    print(f"\nA process prints {lines:,} lines; keys are pressed every 50 ms; milliseconds: median, p95, most\n")
    print("| the process | until drained | key to answer | longest stall of Emacs | shell buffer | Emacs grew by |")
    print("|---|---|---|---|---|---|")
    for name, pause in (("never yields", False), ("yields every 100 lines", True)):
        with tempfile.TemporaryDirectory() as folder, workplace(Path(folder)) as place:
            place.write("flood.py", FLOOD)
            with Emacs(place, "flood.py") as emacs:
                emacs.press(LOAD)
                emacs.wait("message", r"^flood v1 loaded")
                memory = emacs.resident_bytes()
                emacs.press(b"\x03\x1a")  # C-c C-z
                emacs.press(REPORT_STALL)
                emacs.wait("stall")
                began = emacs.press(f"_ = spawn(flood.flood, {lines}, {pause})\r".encode())
                answers, drained = under_keys(emacs)
                emacs.press(REPORT_STALL)
                stall, _ = emacs.wait("stall").values
                emacs.press(REPORT_BUFFER)
                size, last = emacs.wait("buffer").values
                whole = rf"line {lines - 1} of the flood.*\nthe flood is over\n(?:.*\n)?\d+> $"
                assert re.search(whole, str(last)), last
                grown = emacs.resident_bytes() - memory
            print(
                f"| {name} | {(drained - began) * 1000:,.0f} | {cell(answers)} | {float(str(stall)) * 1000:.0f} "
                f"| {size:,} characters | {grown / 1e6:.1f} MB |",
                flush=True,
            )


def under_keys(emacs: Emacs) -> tuple[list[float], float]:
    """Press a key every 50 ms until the flood is over; return how long each took to be answered, and when that was."""
    pressed: list[float] = []
    answers: list[float] = []
    drained = None
    deadline = time.monotonic() + DEADLINE_SECONDS
    while drained is None or len(answers) < len(pressed):
        if time.monotonic() > deadline:
            raise SystemExit(f"the flood did not end; {len(answers)} of {len(pressed)} keys were answered")
        if drained is None:
            pressed.append(emacs.press(PROBE))
        time.sleep(0.05)
        for event in emacs.events():
            if event.kind == "key":
                answers.append(event.seconds - pressed[len(answers)])
            elif event.kind == "drained":
                drained = event.seconds
    return answers, drained


def measure_list(counts: Sequence[int]) -> None:
    """Print the table of process lists, with so many processes alive."""
    print(
        "\nThe process list, one in ten with a name; keys are pressed every 50 ms. Milliseconds; of a stall, how late a"
    )
    print("timer of 20 ms came, and the CPU time of Emacs between two of its calls: what others on the machine do adds")
    print("nothing to that.\n")
    print(
        "| processes | first screen | until all is shown | CPU of Emacs | key to answer: median, p95, most | stall "
        "| refresh with 10 changed | stall | with none | stall | order by name | stall | filter by name | stall |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|")
    for count in counts:
        with tempfile.TemporaryDirectory() as folder, workplace(Path(folder)) as place:
            place.write("crowd.py", CROWD)
            with Emacs(place, "crowd.py") as emacs, Crowd(emacs, place, count) as crowd:
                cells = [*crowd.fill(), *crowd.refresh(10), *crowd.refresh(0)]
                cells += [*crowd.redraw(BY_NAME, "worker_0 "), *crowd.redraw(NAMED, "worker_77")]
                print(f"| {count:,} | {' | '.join(cells)} |", flush=True)


class Crowd:
    """An Emacs whose server has `count` processes in a receive; one in ten has a name."""

    def __init__(self, emacs: Emacs, place: Workplace, count: int) -> None:
        self._emacs, self._count = emacs, count
        emacs.press(LOAD)
        emacs.wait("message", r"^crowd v1 loaded")
        self._client = place.client()
        self._session = self._client.call("shell/open")["session"]
        self._eval(
            f"all_pids = [spawn(crowd.idle, n, name=None if n % 10 else f'worker_{{n}}') for n in range({count})]"
        )

    def _eval(self, text: str) -> None:
        answer = self._client.call("shell/eval", self._session, text, timeout_seconds=DEADLINE_SECONDS)
        assert answer["status"] == "ok", answer

    def fill(self) -> list[str]:
        """Show the list, pressing keys; return first screen, all, CPU time, how long keys took, and the stall."""
        self._stall()
        cpu = self._emacs.cpu_seconds()
        began = self._emacs.press(LIST)
        first = whole = None
        pressed: list[float] = []
        answers: list[float] = []
        deadline = time.monotonic() + DEADLINE_SECONDS
        while whole is None or len(answers) < len(pressed):
            if time.monotonic() > deadline:
                raise SystemExit(f"the list was not filled; {len(answers)} of {len(pressed)} keys were answered")
            if whole is None:
                pressed.append(self._emacs.press(PROBE))
            time.sleep(0.05)
            for event in self._emacs.events():
                if event.kind == "key":
                    answers.append(event.seconds - pressed[len(answers)])
                elif event.kind == "list":
                    first = first or event.seconds
                    whole = event.seconds if event.values[1] else None
        assert first is not None
        spans = first - began, whole - began, self._emacs.cpu_seconds() - cpu
        return [*(f"{each * 1000:,.0f}" for each in spans), cell(answers), self._stall()]

    def refresh(self, changed: int) -> list[str]:
        """Press g, each time with so many other processes changed; return how long that takes, and the stall."""
        taken = []
        self._emacs.press(b"\x1b<")
        for turn in range(REFRESHES + 3):
            if changed:
                first = turn * 7 * changed
                self._eval(f"_ = [send(pid, 1) for pid in all_pids[{first}:{first + 7 * changed}:7]]")
            if turn == 3:  # the first of them finds what the shell did, and its own connection
                self._stall()
            pressed = self._emacs.press(b"g")
            shown = self._wait_whole("")
            if turn >= 3:
                taken.append(shown - pressed)
        return [cell(taken), self._stall()]

    def redraw(self, keys: bytes, pattern: str) -> list[str]:
        """Press keys which change the order or the choice; return how long it takes, and the stall."""
        self._stall()
        began = self._emacs.press(keys)
        return [f"{(self._wait_whole(pattern) - began) * 1000:,.0f}", self._stall()]

    def _wait_whole(self, pattern: str) -> float:
        """Wait until the list is whole and its first line matches; return when that was."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < deadline:
            event = self._emacs.wait("list")
            _, is_whole, line = event.values
            if is_whole and re.search(pattern, str(line)):
                return event.seconds
        raise SystemExit(f"no whole list began with a line like {pattern}")

    def _stall(self) -> str:
        self._emacs.press(REPORT_STALL)
        return ", ".join(f"{float(str(each)) * 1000:.0f}" for each in self._emacs.wait("stall").values)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()


@contextlib.contextmanager
def workplace(folder: Path) -> Iterator[Workplace]:
    """Make a place to work in; its server is ended."""
    place = Workplace(folder)
    os.environ.update(place.variables)
    try:
        yield place
    finally:
        place.stop()


def main() -> None:
    """Run it and print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loads", type=int, default=100)
    parser.add_argument("--edit", choices=EDITS, default="one", help="how many definitions of the module are edited")
    parser.add_argument("--processes", default="0,1000,100000", help="how many are alive, ascending")
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--rows", default="10000,100000", help="how many processes a list is shown of")
    options = parser.parse_args()
    load_average = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"CPython {platform.python_version()}, {os.cpu_count()} cores, load average {load_average}\n", flush=True)
    counts = [int(each) for each in options.processes.split(",") if each]
    if options.loads:
        measure_loads(counts, options.loads, options.edit)
    if options.lines:
        measure_flood(options.lines)
    if options.rows:
        measure_list([int(each) for each in options.rows.split(",")])


if __name__ == "__main__":
    main()
