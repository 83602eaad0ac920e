"""`Attempt`, one load from parsed units to reports: its options, what it has begun, and how that is put back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from midflight.code.census.census import Census
from midflight.code.load.added_twice import handlers_added_twice
from midflight.code.load.body import make
from midflight.code.load.draft import Draft
from midflight.code.load.load_order import imports_asked_for
from midflight.code.load.made import Body, Made
from midflight.code.load.new_version import NewVersion
from midflight.code.load.others import Others
from midflight.code.load.outcome import Commit
from midflight.code.load.overtaken import mentions
from midflight.code.load.refused import Failure, Refused, load_error, module_problem
from midflight.code.load.search_path import search_path
from midflight.code.load.tables import Tables
from midflight.code.load.take_back import TakenBack, take_back
from midflight.code.load.take_out import taken_out
from midflight.code.loading import half_made
from midflight.code.loading.load_thread import load_of_this_thread
from midflight.code.loading.lock import load_lock
from midflight.code.loading.runtime_thread import on_runtime_thread
from midflight.code.loading.under_way import Load, seconds_text
from midflight.code.report.load_report import LoadReport
from midflight.code.source.unit import Unit
from midflight.code.started import Started
from midflight.code.state.module_text import fresh_in
from midflight.code.version.facade import Namespace
from midflight.errors import LoadError

__all__ = ["Attempt", "Options", "Thread"]


Thread = Literal["runtime"]


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a load, as `load` takes them."""

    force: bool = False
    two_versions: bool = False
    move: bool = False
    fresh: frozenset[str] = frozenset()
    forward: bool = False
    thread: Thread | None = None


class Attempt:
    """One load of one or more modules, all or none.

    `drafts` are the versions in the making whose bodies have ended, in the order in which those ended; `new` is what
    the checks made of them. `census` is the last look of the thread that prepares at live code. `commit` is there as
    soon as the versions are current, and `reports`, in the order of the request, when all is done. `taken_back` is what
    the bodies had done to others, when all is put back.
    """

    def __init__(self, units: Sequence[Unit], options: Options) -> None:
        self.units = tuple(units)
        self.options = options
        self.load = load_of_this_thread() or Load()
        self.drafts: list[Draft] = []
        self.new: tuple[NewVersion, ...] = ()
        self.census: Census | None = None
        self.commit: Commit | None = None
        self.reports: tuple[LoadReport, ...] = ()
        self.is_second = False  # others have overtaken it once
        self.failed: Refused | None = None  # of the first body that failed
        self.taken_back = TakenBack()
        self._asking: frozenset[str] = frozenset()
        self._make_named: Callable[[str], object] = lambda _: None
        self._before: Tables | None = None
        self._others = Others()
        self._started = Started()
        self._begun: list[Draft] = []
        self._undo: list[Callable[[], object]] = []

    @property
    def namespaces(self) -> list[tuple[str, Namespace]]:
        """Names and namespaces of the versions whose bodies were run."""
        return [(draft.unit.name, draft.namespace) for draft in self._begun]

    def has_begun(self, unit: Unit) -> bool:
        """Say whether a version of the module of `unit` is in the making: another body may have imported it."""
        return any(draft.unit is unit for draft in self._begun)

    def ask_at_imports(self, asking: frozenset[str], make_named: Callable[[str], object]) -> None:
        """Have `make_named` called where a body of the modules in `asking` comes to an import, with what that names."""
        self._asking, self._make_named = asking, make_named

    def make(self, draft: Draft) -> None:
        """Run the body of a draft. From its first change on, this load puts its changes back if it fails."""
        with self.load.acting():
            self._begun.append(draft)
            if self._before is None:
                self._before = Tables()
            self._others.note(draft.unit, frozenset(unit.name for unit in self.units))
        if self.options.fresh:
            draft.fresh = fresh_in(self.options.fresh, draft.unit.name)
        if draft.unit.name in self._asking:
            # No others: one that is around them, their package say, has begun before at an import, and ends later.
            draft.imports, draft.make_named = imports_asked_for(draft.unit, self._asking), self._make_named
        try:
            with self._started.noting():
                make(draft)
        except Refused as error:
            self.failed = self.failed or error
            raise
        if not draft.is_first and "addHandler" in draft.unit.text:
            for text in handlers_added_twice(self._before, draft.unit):
                problem = module_problem(draft.unit.path, text, "added-twice")
                draft.warnings.append(replace(problem, severity="warning"))
        self.drafts.append(draft)

    def note_commit(self, commit: Commit) -> None:
        """Note that the versions are current: nothing is put back any more, and nothing held for that."""
        self.commit = commit
        self._before, self._others = None, Others()
        self._started.leave()

    def on_put_back(self, undo: Callable[[], object]) -> None:
        """Have `undo` called if nothing becomes current. To be called in `load.acting()`."""
        self._undo.append(undo)

    def news(self, *, is_known: bool = False) -> set[str]:
        """Return the modules that others have committed meanwhile and these name; with `is_known`, each once only."""
        committed = load_lock.committed_since(self.load, is_known=is_known)
        return {name for name in committed if mentions(self.drafts, name)}

    # --- The end of it -------------------------------------------------------------------------------------

    def close(self) -> None:
        """Keep the changes of a load that was committed, else put all back."""
        if self.commit is None:
            self.put_back()
        else:
            search_path.keep(self.load)

    def put_back(self) -> None:
        """Undo all that was begun, in the thread that began it."""
        if self.load.is_given_up:
            for draft in reversed(self._begun):
                draft.forget()
            half_made.forget(self.load)
            self._started.end()
            return
        for draft in reversed(self._begun):
            draft.abandon()
        self._take_back()
        self._put_back_rest()

    def _take_back(self) -> None:
        """Undo what the bodies did to others, on the thread that they ran on: only that can set a signal handler."""
        if self._before is None:
            return
        bodies = [Body(draft.unit, draft.namespace, {} if draft.is_first else draft.old) for draft in self._begun]
        made = Made(bodies)
        undo = partial(take_back, self._before, made, taken_out(self._others, made))
        self._before, self._others = None, Others()
        if on_runtime_thread(self.options.thread) and not self.load.is_to_end:
            self.taken_back = load_lock.call(undo)
        else:
            self.taken_back = undo()
        if ended := self._started.end():
            what = f"what it had started: {', '.join(ended)}"
            self.taken_back = self.taken_back._replace(done=(*self.taken_back.done, what))

    def begin_again(self) -> None:
        """Put all back, and be as at the beginning, but that it is the second time."""
        self.put_back()
        self._begun, self.drafts, self._undo, self.new = [], [], [], ()
        self._started = Started()
        self.is_second, self.failed = True, None
        load_lock.committed_since(self.load, is_known=True)

    def give_up(self) -> None:
        """Do for all others what `put_back` would: a body runs on that nobody can stop. From another thread."""
        half_made.refuse(self.load)  # first: it looks at what is in sys.modules
        for draft in reversed(self._begun):
            draft.give_up()
        self._started.end()  # what the body starts from now on is ended when it has ended itself
        self._put_back_rest()

    def _put_back_rest(self) -> None:
        search_path.drop(self.load)
        for undo in reversed(self._undo):
            undo()

    def broken_off(self) -> LoadError:
        """Return the exception for a load that was told to end."""
        load = self.load
        text = f"broken off by {load.broken_off_by} after {seconds_text(load.broken_off_after)}"
        if load.is_given_up:
            text = f"{text}; nobody can stop its body: {load.thread_name} {load.still()}"
        elif load.broken_off_at:
            text = f"{text}, at {load.broken_off_at}"
        unit = next((each for each in self.units if each.name in load.running), self.units[0])
        return load_error([Failure(unit.name, unit.path, (module_problem(unit.path, text, "broken-off"),))])
