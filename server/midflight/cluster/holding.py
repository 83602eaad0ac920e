"""Slowing a process down that sends to a node more than that takes: it is not stepped until little waits.

A send cannot wait: it is an operator. So the process is held at the end of its turn. One that waits for a message, or
could run, gets no step; one that awaits something else of asyncio's runs when that is done, until it sends again.
OTP: a process that sends to a busy port is suspended.

Laws: an exit signal lets a process go, `kill` ends it as ever; who is held is in no other queue, and loses no message.
"""

from __future__ import annotations

from midflight.kernel import RECEIVE, Process, Receive, Scheduler, again

__all__ = ["Holding"]


class Holding:
    """The processes that wait for one node."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._asked: dict[Process, None] = {}
        self._held: dict[Process, None] = {}

    def __len__(self) -> int:
        return len(self._held)

    def ask(self, process: Process) -> None:
        """Have `process`, which runs, held from its next turn on."""
        if not self._asked:
            self._scheduler.call_threadsafe(self._hold)
        self._asked[process] = None

    def release(self) -> None:
        """Let all go on."""
        self._asked.clear()
        held, self._held = self._held, {}
        for process in held:
            self._scheduler.enqueue(process)  # also one that has died: its step says so, as in the queue

    def _hold(self) -> None:
        """Take those that were asked for out of the run queue, between two turns."""
        queue = self._scheduler.queue
        for _ in range(len(queue)):
            process = queue.popleft()
            if process in self._asked and process.pending is None and process.pid.process is process:
                self._held[process] = None
            else:
                queue.append(process)
        for process in self._asked:
            waiting = process.waiting
            if process in self._held or process.pid.process is not process:
                continue
            if waiting is RECEIVE or type(waiting) is Receive:
                # As if a message had come: it looks for one when it goes on.
                process.waiting = None
                process.value = Receive((), None) if waiting is RECEIVE else waiting
                process.resume = again
                self._held[process] = None
        self._asked.clear()

    def let_go_of_ending(self) -> None:
        """Let those go on that an exit signal or a kill has come to."""
        for process in [each for each in self._held if each.pending is not None or each.pid.process is None]:
            del self._held[process]
            self._scheduler.enqueue(process)
