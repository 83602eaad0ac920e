"""The history of one shell: its inputs and their values, as jobs by number."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from midflight.errors import UnknownJob

__all__ = ["History", "Job"]


@dataclass(frozen=True, slots=True)
class Job:
    """One evaluated input. `value` of a failed one is the exception that ended it.

    `module` is the name of the module that it was evaluated in, None for the shell's own names.
    """

    number: int
    text: str
    value: object
    module: str | None = None


class History:
    """The last `kept` jobs, oldest first."""

    def __init__(self, kept: int) -> None:
        self.kept = kept
        self._jobs: OrderedDict[int, Job] = OrderedDict()

    def __iter__(self) -> Iterator[Job]:
        return iter(list(self._jobs.values()))

    def add(self, job: Job) -> Job | None:
        """Keep `job`, whose number is the highest yet; return the one that makes room for it."""
        self._jobs[job.number] = job
        return self._jobs.popitem(last=False)[1] if len(self._jobs) > self.kept else None

    def job(self, number: int) -> Job:
        """Return job `number`; a negative one counts back from the last.

        Raises: UnknownJob.
        """
        absolute = number
        if number < 0 and self._jobs:
            absolute = next(reversed(self._jobs)) + 1 + number
        try:
            return self._jobs[absolute]
        except KeyError:
            raise UnknownJob(number, list(self._jobs)) from None
