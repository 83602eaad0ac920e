"""Shops of durable servers that are killed at random moments: no acknowledged change of a "sync" server is missing.

Of the others nothing is missing that is older than the window. A change that was made and not acknowledged may be
there: of each clerk one at most. Each life may upgrade the tills; a code_change that ran twice, or not, ends the shop.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path
from random import Random

from chaos.durable_shop import text_of
from chaos.ledger import Broken
from chaos.record import Record

__all__ = ["play"]

WINDOW_SECONDS = 5.0
UP_SECONDS = 120.0
PROGRAM = Path(__file__).with_name("durable_shop.py")


class Life:
    """One run of the program, and the lines of its output with the time at which each came."""

    def __init__(self, folder: Path, tills: int, clerks: int, seed: str, upgrades: int) -> None:
        arguments = [str(folder), str(tills), str(clerks), seed, str(upgrades)]
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

    def end(self) -> None:
        """Kill it, and read what it wrote. Raises: Broken if it had ended."""
        has_ended = self.program.poll() is not None
        self.program.kill()
        self.program.wait()
        for each in self.readers:
            each.join()
        for stream in (self.program.stdout, self.program.stderr):
            assert stream is not None
            stream.close()
        if has_ended or self.errors:
            raise Broken(f"the shop has failed: {self.errors.decode(errors='replace')[-3000:]}")


class Book:
    """The book of all replies, over all lives."""

    def __init__(self, clerks: int) -> None:
        self.clerks = clerks
        self.replies: dict[str, list[tuple[float, int]]] = defaultdict(list)
        self.oldest_lost = 0.0
        self.killed_at = 0.0

    def check(self, life: Life) -> int:
        """Compare what a life began with with the replies of the lives before; return the number of tills seen."""
        begun = [line.split()[1:] for _, line in life.lines if line.startswith("start ")]
        for name, text in begun:
            total = int(text)
            known = self.replies[name]
            most = max((each for _, each in known), default=0)
            lost = [at for at, each in known if each > total]
            if lost and name.startswith("safe"):
                raise Broken(f"{name} has {total}, and {most} was acknowledged")
            if lost:
                self.oldest_lost = max(self.oldest_lost, self.killed_at - min(lost))
            if self.oldest_lost > WINDOW_SECONDS:
                raise Broken(
                    f"{name} has {total}, and {most} was acknowledged {self.oldest_lost:.2f} s before the kill"
                )
            if total > most + self.clerks:
                raise Broken(f"{name} has {total}, which is more than {most} and one for each clerk")
            self.replies[name] = [(0.0, total)]
        return len(begun)

    def take(self, life: Life) -> int:
        """Write down the replies of a life; return their number."""
        count = 0
        for at, line in life.lines:
            name, _, total = line.rpartition(" ")
            if name in self.replies or name.startswith(("safe-", "till-")):
                self.replies[name].append((at, int(total)))
                count += 1
        return count


def play(seed: str, *, kills: int, tills: int = 1000, clerks: int = 20) -> Record:
    """Kill a shop `kills` times. Raises: Broken, with the record in its text."""
    record = Record(f"python -m chaos --world durable --kills {kills} --seed {seed}")
    book = Book(clerks)
    with tempfile.TemporaryDirectory(prefix="chaos-") as name:
        folder = Path(name)
        (folder / "tills.py").write_text(text_of(1), "utf-8")
        try:
            for number in range(kills + 1):
                rng = Random(f"{seed}/{number}")
                upgrades = rng.choice((0, 0, 1, 3))
                life = Life(folder, tills, clerks, f"{seed}/{number}", upgrades)
                # Some are killed while they start: nothing is in their book then that was not before.
                is_early = rng.random() < 0.1 and 0 < number < kills
                life.is_up.wait(rng.random() if is_early else UP_SECONDS)
                if not is_early:
                    time.sleep(rng.random() * (1 + upgrades))
                killed_at = time.monotonic()
                life.end()
                seen = book.check(life)
                if not is_early and seen != tills:
                    raise Broken(f"{seen} of {tills} tills have started within {UP_SECONDS} s")
                book.killed_at = killed_at
                record.counts["replies"] += book.take(life)
                record.counts["upgrades"] += sum(line.startswith("upgraded") for _, line in life.lines)
                record.counts["kill -9"] += 1
                record.note(f"killed {'while it started' if is_early else 'under load'}, {upgrades} upgrades asked for")
                record.progress("durable", **dict(record.counts))
        except Exception as error:
            raise Broken(record.failure(f"{type(error).__name__}: {error}")) from error
        record.figures = {
            "oldest change that was lost, s, of those without sync": f"{book.oldest_lost:.2f}",
            "store, MB": f"{(folder / 'state.sqlite').stat().st_size / 1e6:.1f}",
        }
    return record
