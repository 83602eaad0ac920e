"""The world with a server: a real `midflight serve`, chaos inside of it, and editors that come and go outside.

Now and then everything rests: the rounds inside end, the editors go, and what the operating system says of the server
is put on the account: descriptors, threads, memory.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from chaos.actions.editors import ACTIONS, ANSWER_SECONDS, Desk
from chaos.ledger import Broken
from chaos.record import Record
from helpers.server_process import Program
from midflight.epc import RemoteServer
from midflight.errors import RemoteError

__all__ = ["PROJECT", "play", "write_project"]

HERE = Path(__file__).parent.parent
STEPS_A_ROUND = 120
INSIDE_STEPS = 150
WARM_UP_ROUNDS = 4
FULL_ROUNDS = 60  # of memory: until memory is as fragmented as it gets
QUIET_SECONDS = 40.0
SLACK = {"descriptors": 3, "threads": 6, "MB": 40}

PROJECT = '''\
"""Starts chaos inside of this server."""

from chaos import inside


async def start():
    await inside.begin({folder!r}, {seed!r}, {steps})
'''


def write_project(root: Path, seed: str, steps: int = INSIDE_STEPS) -> None:
    """Write a project whose server begins with chaos inside."""
    (root / "pyproject.toml").write_text('[tool.midflight]\nstart = "stage:start"\n', encoding="utf-8")
    (root / "stage.py").write_text(PROJECT.format(folder=str(root), seed=seed, steps=steps), encoding="utf-8")


def system_figures(pid: int) -> dict[str, int]:
    """Return what the operating system says of a process: descriptors, threads, resident memory in MB."""
    folder = Path(f"/proc/{pid}")
    pages = int((folder / "statm").read_text(encoding="ascii").split()[1])
    return {
        "descriptors": len(os.listdir(folder / "fd")),
        "threads": len(os.listdir(folder / "task")),
        "MB": pages * os.sysconf("SC_PAGE_SIZE") // 2**20,
    }


@contextmanager
def environment_of(folder: Path) -> Iterator[None]:
    """Set the runtime folder and the path of modules, for this process and the server."""
    before = dict(os.environ)
    paths = [str(HERE), str(HERE.parent / "server"), os.environ.get("PYTHONPATH", "")]
    os.environ |= {"MIDFLIGHT_RUNTIME_DIR": str(folder), "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class Served:
    """A server with chaos inside, and the desk of its editors."""

    def __init__(self, seed: str, root: Path, program: Program, record: Record) -> None:
        self.seed, self.root, self.program, self.record = seed, root, program, record
        self.baseline: dict[str, int] = {}
        self.rounds = 0
        self.lowest_and_highest = [10**9, 0]
        deadline = time.monotonic() + ANSWER_SECONDS
        while not (root / "begun").exists():
            if time.monotonic() > deadline or program.process.poll() is not None:
                raise Broken(f"the project did not start: {program.lines[-20:]}")
            time.sleep(0.05)
        self.desk = Desk(Random(seed), root)

    def play_round(self, steps: int) -> None:
        """Let editors do `steps` things while chaos goes on inside; then rest, and close the accounts."""
        desk = self.desk
        desk.rng = rng = Random(f"{self.seed}/{self.rounds}")
        self._tell("inside.go_on()")
        functions, weights = zip(*ACTIONS, strict=True)
        for _ in range(steps):
            if text := rng.choices(functions, weights)[0](desk):
                self.record.note(text)
            desk.hear()
            self._check()
            time.sleep(rng.choice((0.0, 0.0, 0.002, 0.02)))
        desk.hear(all_of_them=True)
        self._tell("await inside.rest()")
        self._check()
        self._close_accounts()
        self.rounds += 1

    def _tell(self, text: str) -> None:
        """Evaluate a line in a shell of its own, which is gone afterwards."""
        with RemoteServer.attach(self.root) as client:
            session = client.call("shell/open", timeout_seconds=ANSWER_SECONDS)["session"]
            client.call("shell/eval", session, "from chaos import inside", timeout_seconds=ANSWER_SECONDS)
            answer = client.call("shell/eval", session, text, timeout_seconds=4 * ANSWER_SECONDS)
            if answer["status"] != "ok":
                raise Broken(f"{text} gave {answer}")

    def _check(self) -> None:
        """Raise Broken if the server is gone, if something inside is broken, or if an editor was lost."""
        desk = self.desk
        if self.program.process.poll() is not None:
            raise Broken(f"the server has ended with {self.program.exit_code()}: {self.program.lines[-30:]}")
        broken = self.root / "broken.txt"
        if broken.exists():
            raise Broken(broken.read_text(encoding="utf-8"))
        lost = [each.number for each in desk.editors if each.is_lost]
        if lost:
            desk.wrong.append(f"editors {lost} have lost their connection")
        if desk.wrong:
            raise Broken("\n".join(desk.wrong))

    def _close_accounts(self) -> None:
        """Let all editors go, end the shells that wait, and compare what the operating system says."""
        desk = self.desk
        for editor in desk.editors:
            editor.client.close()
        desk.editors, desk.traces = [], []
        with RemoteServer.attach(self.root) as client:
            while rows := client.call("shell/parked", timeout_seconds=ANSWER_SECONDS):
                for row in rows:
                    end_shell(client, row["session"])
            client.call("crash/dismiss", None, timeout_seconds=ANSWER_SECONDS)  # they hold the frames that crashed
        self._tell("await inside.tell()")
        self._check()
        deadline = time.monotonic() + QUIET_SECONDS
        while wrong := self._growth():
            if time.monotonic() > deadline:
                raise Broken("leaks of the server:\n" + "\n".join(wrong))
            time.sleep(0.2)

    def _growth(self) -> list[str]:
        now = system_figures(self.program.process.pid)
        if self.rounds < WARM_UP_ROUNDS:
            self.baseline = {name: max(count, self.baseline.get(name, 0)) for name, count in now.items()}
            return []
        if self.rounds < FULL_ROUNDS:
            self.baseline["MB"] = max(self.baseline["MB"], now["MB"])
        low, high = self.lowest_and_highest
        self.lowest_and_highest = [min(low, now["MB"]), max(high, now["MB"])]
        return [
            f"{name}: {count} after {self.rounds} rounds, {self.baseline[name]} after {WARM_UP_ROUNDS}"
            for name, count in now.items()
            if count > self.baseline[name] + SLACK[name]
        ]

    def figures(self) -> dict[str, object]:
        """Return what the summary says of the server and its editors."""
        now = system_figures(self.program.process.pid)
        low, high = self.lowest_and_highest
        return {
            **dict(sorted(self.desk.counts.items())),
            "rounds outside": self.rounds,
            "server's resident MB": f"{low if high else now['MB']} to {high or now['MB']}, {now['MB']} at the end",
            "server's descriptors": f"{now['descriptors']} at the end, {self.baseline['descriptors']} after warm-up",
            "server's threads": f"{now['threads']} at the end, {self.baseline['threads']} after warm-up",
        }


def play(seed: str, *, rounds: int, steps: int, first: int = 0, minutes: float | None = None) -> Record:
    """Play rounds with a server. Raises: Broken, with the record in its text."""
    record = Record(f"python -m chaos --world server --seed {seed}")
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder, environment_of(Path(folder) / "runtime"):
        root = Path(folder) / "project"
        root.mkdir()
        write_project(root, seed)
        with Program("serve", "--root", str(root), runtime=Path(folder) / "runtime", cwd=root) as program:
            program.port()
            try:
                served = Served(seed, root, program, record)
                while served.rounds < rounds if minutes is None else record.seconds() < minutes * 60:
                    served.play_round(min(steps, STEPS_A_ROUND))
                    now = system_figures(program.process.pid)
                    record.progress("server", rounds=served.rounds, **now)
                record.figures = served.figures() | inside_figures(root)
            except Exception as error:
                raise Broken(record.failure(f"{type(error).__name__}: {error}")) from error
    return record


def end_shell(client: RemoteServer, session: int) -> None:
    """End a shell that waits. It may have ended meanwhile: of too many the server ends the one that waits longest."""
    try:
        client.call("shell/open", {"take": session}, timeout_seconds=ANSWER_SECONDS)
    except RemoteError as error:
        if "it has ended" not in str(error):
            raise
    else:
        client.call("shell/close", session, timeout_seconds=ANSWER_SECONDS)


def inside_figures(root: Path) -> dict[str, object]:
    """Return the counts of the rounds inside."""
    found = json.loads((root / "counts.json").read_text(encoding="utf-8"))
    return {f"inside: {name}": count for name, count in sorted(found.items())}
