"""Servers that are ended at random moments, by kill -9 and by SIGTERM, and what has to be true afterwards.

After either: clients hear of it at once, no process, socket or temporary file is left that the next server would not
remove, and that one starts in the same project without being told. After SIGTERM besides: `finally` blocks have run,
the server has left within its time, and nothing says any more that it runs.
"""

from __future__ import annotations

import ast
import os
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from chaos.actions.editors import ACTIONS, ANSWER_SECONDS, Desk
from chaos.ledger import Broken
from chaos.record import Record
from chaos.served import environment_of, write_project
from helpers.server_process import Program
from midflight.epc import ProjectFiles, RemoteServer
from midflight.errors import MidflightError

__all__ = ["play"]

START_SECONDS = 20.0
HEARD_SECONDS = 3.0
TERM_SECONDS = 14.0  # the five that processes have to unwind, and what a server adds before it ends by force
GONE_SECONDS = 5.0
INSIDE_STEPS = 60

UNWINDING = """

from midflight import receive, spawn


async def unwinds(path):
    try:
        await receive("never")
    finally:
        with open(path, "w", encoding="utf-8") as file:
            file.write("unwound")


async def stays(path):
    spawn(unwinds, path)
"""


class Victims:
    """The servers of one project, one after another, and how long things took."""

    def __init__(self, seed: str, folder: Path, record: Record) -> None:
        self.seed, self.folder, self.record = seed, folder, record
        self.root = folder / "project"
        self.temporary = folder / "tmp"
        self.times: dict[str, list[float]] = {}
        self.root.mkdir()
        self.temporary.mkdir()
        write_project(self.root, seed, INSIDE_STEPS)
        (self.root / "unwinding.py").write_text('"""Shows that `finally` blocks run."""' + UNWINDING, encoding="utf-8")
        os.environ["TMPDIR"] = str(self.temporary)

    def took(self, what: str, seconds: float) -> None:
        """Note how long something took."""
        self.times.setdefault(what, []).append(seconds)

    def end_one(self, number: int) -> None:
        """Start a server, let editors and chaos inside be busy, end it, and check what is left. Raises: Broken."""
        rng = Random(f"{self.seed}/{number}")
        how = rng.choice((signal.SIGKILL, signal.SIGTERM))
        (self.root / "begun").unlink(missing_ok=True)
        before = time.monotonic()
        with Program("serve", "--root", str(self.root), runtime=self.folder / "runtime", cwd=self.root) as program:
            program.port()
            self.took("start", time.monotonic() - before)
            mark = self.root / f"unwound-{number}"
            lost: list[float] = []
            watcher = RemoteServer.attach(self.root, on_lost=lambda: lost.append(time.monotonic()), name="watcher")
            waits = rng.random() < 0.8  # else it is ended while it starts
            desk = self.busy(rng, watcher, mark) if waits else None
            waiting = watcher.submit("process/list")
            self.record.note(f"{how.name} of server {number}, pid {program.process.pid}, busy: {waits}")
            ended = time.monotonic()
            program.signal(how)
            wait_until(lambda: program.process.poll() is not None, TERM_SECONDS, f"{how.name} did not end the server")
            over = time.monotonic()
            self.took(f"end after {how.name}", over - ended)
            wait_until(lambda: bool(lost), HEARD_SECONDS, "the client has not heard that the server is gone")
            self.took("clients heard after the end", max(0.0, lost[0] - over))
            wait_until(waiting.done, HEARD_SECONDS, "a request to the dead server is not answered")
            code = program.exit_code()
            watcher.close()
            for editor in desk.editors if desk is not None else ():
                editor.client.close()
        self.check_what_is_left(how, code, program, mark if waits else None)
        self.record.counts[how.name] += 1

    def busy(self, rng: Random, watcher: RemoteServer, mark: Path) -> Desk:
        """Let chaos go on inside and editors do things, for a moment."""
        wait_until((self.root / "begun").exists, ANSWER_SECONDS, "the project has not started")
        session = watcher.call("shell/open", timeout_seconds=ANSWER_SECONDS)["session"]
        for text in ("from chaos import inside; import unwinding", f"await unwinding.stays({str(mark)!r})"):
            answer = watcher.call("shell/eval", session, text, timeout_seconds=ANSWER_SECONDS)
            if answer["status"] != "ok":
                raise Broken(f"{text}: {answer}")
        watcher.call("shell/eval", session, "inside.go_on()", timeout_seconds=ANSWER_SECONDS)
        desk = Desk(rng, self.root)
        functions, weights = zip(*ACTIONS, strict=True)
        for _ in range(rng.randrange(0, 40)):
            if text := rng.choices(functions, weights)[0](desk):
                self.record.note(text)
            time.sleep(rng.choice((0.0, 0.002, 0.02)))
        broken = self.root / "broken.txt"
        if broken.exists():
            raise Broken(broken.read_text(encoding="utf-8"))
        return desk

    def check_what_is_left(self, how: signal.Signals, code: int, program: Program, mark: Path | None) -> None:
        """Raise Broken unless what is left is what may be."""
        place, pid = ProjectFiles(self.root), program.process.pid
        if how is signal.SIGTERM and code not in (0, 143):
            raise Broken(f"after SIGTERM the exit code is {code}: {program.lines[-20:]}")
        if place.running() is not None:
            raise Broken(f"after {how.name} the server counts as running: {place.running()}")
        try:
            RemoteServer.attach(self.root).close()
        except MidflightError:
            pass
        else:
            raise Broken(f"after {how.name} somebody answered")
        wait_until(lambda: not strays(self.folder), GONE_SECONDS, f"processes are left: {strays(self.folder)}")
        if how is signal.SIGTERM:
            files = [each.name for each in place.folder.iterdir()] if place.folder.exists() else []
            if [each for each in files if not each.endswith(".log")]:
                raise Broken(f"after SIGTERM there are {files}")
            if mark is not None and not mark.exists():
                raise Broken("after SIGTERM a finally block has not run")
        own = [each for each in self.temporary.iterdir() if f"-{pid}-" in each.name]
        others = [each for each in self.temporary.iterdir() if each not in own]
        # The folder of the server before goes when this one makes its own, which it may have been ended too early for.
        has_made_one = bool(own) if how is signal.SIGKILL else mark is not None
        if (others and has_made_one) or (own and how is signal.SIGTERM):
            raise Broken(f"after {how.name} of {pid} there are {[*own, *others]}")
        for text in self.temporary.glob("*/*.py"):
            if not is_whole(text):
                raise Broken(f"after {how.name} the text {text} is not whole")

    def figures(self) -> dict[str, object]:
        """Return what the summary says: each time's middle and longest."""
        return {
            f"{what}, s": f"{sorted(times)[len(times) // 2]:.2f}, at most {max(times):.2f}"
            for what, times in sorted(self.times.items())
        }


def is_whole(text: Path) -> bool:
    """Say whether the text of a version was written whole, or not yet at all."""
    try:
        ast.parse(text.read_text(encoding="utf-8"))
    except SyntaxError:
        return False
    return True


def strays(folder: Path) -> list[str]:
    """Return the command lines of processes, other than this one, that have `folder` for their runtime folder."""
    wanted = f"MIDFLIGHT_RUNTIME_DIR={folder / 'runtime'}".encode()
    found = []
    for each in Path("/proc").iterdir():
        if not each.name.isdigit() or int(each.name) == os.getpid():
            continue
        try:
            if wanted in (each / "environ").read_bytes().split(b"\0"):
                found.append((each / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:  # gone, or not ours
            continue
    return found


def wait_until(is_so: Callable[[], bool], seconds: float, what: str) -> None:
    """Return once it is so. Raises: Broken, `what`, if it is not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise Broken(f"{what} within {seconds} s")
        time.sleep(0.005)


def play(seed: str, *, kills: int) -> Record:
    """End `kills` servers. Raises: Broken, with the record in its text."""
    record = Record(f"python -m chaos --kills {kills} --seed {seed}")
    with tempfile.TemporaryDirectory(prefix="chaos-") as name, environment_of(Path(name) / "runtime"):
        victims = Victims(seed, Path(name), record)
        try:
            for number in range(kills):
                victims.end_one(number)
                record.progress("kills", servers=number + 1, **dict(record.counts))
        except Exception as error:
            raise Broken(record.failure(f"{type(error).__name__}: {error}")) from error
        record.figures = victims.figures()
    return record
