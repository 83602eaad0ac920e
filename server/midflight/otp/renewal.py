"""The children of a supervisor whose class has a new version, as the new `init` wants them.

The life of a renewal: `compared` says who is added, removed and changed -> the added ones start, in a Trial -> the new
version becomes current, and the removed ones stop; or it does not, and those that were started stop.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Set
from dataclasses import dataclass, field, replace

from midflight.errors import InitFailed
from midflight.kernel import self_
from midflight.otp.child_spec import ChildSpec, launch
from midflight.otp.children import Child, stop_child
from midflight.otp.newest import Trial, trial_var
from midflight.otp.reports import report_progress
from midflight.text import short

__all__ = ["Renewal", "compared"]


@dataclass(slots=True)
class Renewal:
    """The fate of the children of one supervisor.

    `children` are all that it is to have, in their order: the records are new ones. `removed` are records of now.
    `started` are those of `added` that run.
    """

    children: dict[Hashable, Child]
    added: list[Child]
    removed: list[Child]
    changed: list[Child]
    started: list[Child] = field(default_factory=list)
    trial: Trial = field(default_factory=Trial)

    async def start_added(self) -> None:
        """Start the children that are added, in order. Raises: InitFailed if one does not start; none runs then."""
        token = trial_var.set(self.trial)
        try:
            for child in self.added:
                try:
                    child.pid = await launch(child.spec, child.args)
                except Exception as error:
                    raise InitFailed(f"child {short(child.key)} of {self_()!r}", error) from error
                report_progress(child.spec, child.pid, child.args)
                self.started.append(child)
                if child.pid is None and child.spec.restart == "temporary":  # it is never to run
                    del self.children[child.key]
        except GeneratorExit:  # it is killed, and they with it
            raise
        except BaseException:
            await self.stop_started()
            raise
        finally:
            trial_var.reset(token)

    async def stop_started(self) -> None:
        """Stop those that were started, the last one first: the new version does not become current."""
        while self.started:
            child = self.started.pop()
            if child.pid is not None:
                await stop_child(child.spec, child.pid)
        self.trial.is_over = True

    async def stop_removed(self) -> None:
        """Stop those that are removed, the last one first: the new version is current."""
        self.trial.is_over = True
        while self.removed:
            child = self.removed.pop()
            if child.running is not None:
                await stop_child(child.spec, child.running)

    def __str__(self) -> str:
        parts = [f"children: {_names(self.children.values())}"]
        for verb, some in (("starts", self.added), ("stops", self.removed), ("has a new spec of", self.changed)):
            if some:
                parts.append(f"{verb} {_names(some)}")
        return "; ".join(parts)


def compared(children: Mapping[Hashable, Child], asked: Set[Hashable], specs: Iterable[ChildSpec]) -> Renewal:
    """Compare the children that there are with the `specs` that there are to be; change nothing.

    `asked` are the ids that init named before: who is not among them was added on request, and stays, at the end; and
    one of them that is not a child now was taken out, and stays out.
    """
    found = Renewal({}, [], [], [])
    wanted = set()
    for spec in specs:
        wanted.add(spec.id)
        old = children.get(spec.id)
        if old is None and spec.id in asked:
            continue
        child = found.children[spec.id] = Child(spec.id, spec, spec.args)
        if old is None:
            found.added.append(child)
            continue
        child.pid, child.is_restarting = old.pid, old.is_restarting
        if not _is_same(old.spec, spec):
            found.changed.append(child)
    for id, old in children.items():
        if id in wanted:
            continue
        if id in asked:
            found.removed.append(old)
        else:
            found.children[id] = old
    return found


def _is_same(old: ChildSpec, new: ChildSpec) -> bool:
    """Say whether two specs say the same; what starts the child is then of the same name, in whatever version."""
    names = [
        (getattr(spec.start, "__module__", None), getattr(spec.start, "__qualname__", None)) for spec in (old, new)
    ]
    if old.start is not new.start and (None in names[0] or names[0] != names[1]):
        return False
    try:
        return replace(old, start=new.start) == new
    except Exception:  # arguments that cannot be compared
        return False


def _names(children: Iterable[Child]) -> str:
    return ", ".join(short(child.key) for child in children) or "none"
