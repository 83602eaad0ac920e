"""Shops of durable servers that are killed at random moments: no acknowledged change of a "sync" server is missing.

Of the others nothing is missing that is older than the window. A change that was made and not acknowledged may be
there: of each clerk one at most. Each life may upgrade the tills; a code_change that ran twice, or not, ends the shop.

With DISK=full the disk is full now and then, also at the kill. What was acknowledged by a till without "sync" while it
was, or until the store is written again, may be missing; nothing else may.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from pathlib import Path
from random import Random

from chaos.durable_shop import text_of
from chaos.full_disk import Mounted
from chaos.ledger import Broken
from chaos.record import Record

__all__ = ["play"]

WINDOW_SECONDS = 5.0
AGAIN_SECONDS = 1.0  # after which a store whose disk was full is tried again
UP_SECONDS = 120.0
PROGRAM = Path(__file__).with_name("durable_shop.py")


class Life:
    """One run of the program, and the lines of its output with the time at which each came."""

    def __init__(self, folder: Path, tills: int, clerks: int, seed: str, upgrades: int, disk: str) -> None:
        arguments = [str(folder), str(tills), str(clerks), seed, str(upgrades), disk]
        self.program = subprocess.Popen(
            [sys.executable, str(PROGRAM), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        self.lines: list[tuple[float, str]] = []
        self.errors = b""
        self.is_up = threading.Event()
        self.readers = [threading.Thread(target=self._read), threading.Thread(target=self._read_errors)]
        for each in self.readers:
            each.start()

    def _read(self) -> None:
        assert self.program.stdout is not None
        for line in self.program.stdout:
            text = line.decode().rstrip("\n")
            self.lines.append((time.monotonic(), text))
            if text == "up":
                self.is_up.set()
        self.is_up.set()

    def _read_errors(self) -> None:
        assert self.program.stderr is not None
        self.errors = self.program.stderr.read()

    def end(self) -> float:
        """Kill it, and read what it wrote; return when. Raises: Broken if it had ended."""
        has_ended = self.program.poll() is not None
        killed_at = time.monotonic()
        self.program.kill()
        self.program.wait()
        for each in self.readers:
            each.join()
        for stream in (self.program.stdout, self.program.stderr):
            assert stream is not None
            stream.close()
        if has_ended or self.errors:
            raise Broken(f"the shop has failed: {self.errors.decode(errors='replace')[-3000:]}")
        return killed_at

    def written_until(self, killed_at: float) -> float:
        """Return until when its disk took what was written to it."""
        full_at = 0.0
        for at, line in self.lines:
            if line == "full" and not full_at:
                full_at = at
            elif line == "room" and at + AGAIN_SECONDS + WINDOW_SECONDS < killed_at:
                full_at = 0.0
        return full_at or killed_at


class Book:
    """The book of all replies, over all lives: of each its total, and how long before the end of writing it came."""

    def __init__(self, clerks: int) -> None:
        self.clerks = clerks
        self.replies: dict[str, list[tuple[float, int]]] = defaultdict(list)
        self.failures: Counter[str] = Counter()  # sold, and not acknowledged
        self.oldest_lost = 0.0

    def check(self, life: Life) -> int:
        """Compare what a life began with with the replies of the lives before; return the number of tills seen."""
        begun = [line.split()[1:] for _, line in life.lines if line.startswith("start ")]
        for name, text in begun:
            total = int(text)
            known = self.replies[name]
            most = max((each for _, each in known), default=0)
            lost = [age for age, each in known if each > total]
            if lost and name.startswith("safe"):
                raise Broken(f"{name} has {total}, and {most} was acknowledged")
            self.oldest_lost = max(self.oldest_lost, *lost, 0.0)
            if self.oldest_lost > WINDOW_SECONDS:
                raise Broken(
                    f"{name} has {total}, and {most} was acknowledged {self.oldest_lost:.2f} s before the kill"
                )
            if total > most + self.clerks + self.failures[name]:
                raise Broken(f"{name} has {total}, which is more than {most} and what was not acknowledged")
            self.replies[name] = [(0.0, total)]
            self.failures[name] = 0
        return len(begun)

    def take(self, life: Life, killed_at: float) -> Counter[str]:
        """Write down the replies of a life, which was killed then; count what it has said."""
        counts: Counter[str] = Counter()
        until = life.written_until(killed_at)
        for at, line in life.lines:
            name, _, last = line.rpartition(" ")
            if name.startswith(("safe-", "till-")):
                self.replies[name].append((until - at, int(last)))
                counts["replies"] += 1
            elif name == "failed":
                self.failures[last] += 1
                counts["errors as the reply"] += 1
            elif name in ("upgraded", "refused"):
                counts["upgrades" if name == "upgraded" else "upgrades refused"] += 1
            elif line == "full":
                counts["times full"] += 1
        return counts


def play(seed: str, *, kills: int, tills: int = 1000, clerks: int = 20, disk: str = "ample") -> Record:
    """Kill a shop `kills` times, its disk "ample" or at times "full". Raises: Broken, with the record in its text."""
    record = Record(f"python -m chaos --world durable --disk {disk} --kills {kills} --seed {seed}")
    book = Book(clerks)
    with tempfile.TemporaryDirectory(prefix="chaos-") as name:
        folder = Path(name)
        mounted = Mounted(folder) if disk == "full" else None
        kind = "ample" if mounted is None else "mounted" if mounted.is_real else "limited"
        (folder / "tills.py").write_text(text_of(1), "utf-8")
        try:
            for number in range(kills + 1):
                rng = Random(f"{seed}/{number}")
                upgrades = rng.choice((0, 0, 1, 3))
                life = Life(folder, tills, clerks, f"{seed}/{number}", upgrades, kind)
                # Some are killed while they start: nothing is in their book then that was not before.
                is_early = rng.random() < 0.1 and 0 < number < kills
                life.is_up.wait(rng.random() if is_early else UP_SECONDS)
                if not is_early:
                    time.sleep(rng.random() * (1 + upgrades if mounted is None else 4))
                killed_at = life.end()
                if mounted is not None:
                    mounted.make_room()
                seen = book.check(life)
                if not is_early and seen != tills:
                    raise Broken(f"{seen} of {tills} tills have started within {UP_SECONDS} s")
                said = [line for _, line in life.lines if line.startswith("log ")]
                if said and mounted is None:
                    raise Broken(f"the store has failed: {said[0]}")
                record.counts.update(book.take(life, killed_at))
                record.counts["kill -9"] += 1
                record.note(f"killed {'while it started' if is_early else 'under load'}, {upgrades} upgrades asked for")
                record.progress("durable", **dict(record.counts))
            store = (folder / "state.sqlite").stat().st_size
        except Exception as error:
            raise Broken(record.failure(f"{type(error).__name__}: {error}")) from error
        finally:
            if mounted is not None:
                mounted.close()
        record.figures = {
            "oldest change that was lost, s, of those without sync": f"{book.oldest_lost:.2f}",
            "store, MB": f"{store / 1e6:.1f}",
            "disk": {"ample": "ample", "mounted": "a file system of 64 MB", "limited": "a limit on files"}[kind],
        }
    return record
