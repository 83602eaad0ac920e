"""`NewVersion`: one module as the preparation of a load found it. `look_at` makes it of a draft whose body has run."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from midflight.code.checks.findings import findings
from midflight.code.checks.stale_imports import StaleNames, stale_imports
from midflight.code.identity.all_new import AllNew
from midflight.code.identity.kept import Identity
from midflight.code.load.draft import Draft
from midflight.code.load.refused import module_problem
from midflight.code.report.load_report import Diagnostic
from midflight.code.source.definitions import compare, definitions_of
from midflight.code.source.find_module import PROGRAM
from midflight.code.source.look import carried_module
from midflight.code.source.program import is_program, is_same_below_guard
from midflight.code.source.unit import Unit
from midflight.code.state.settlement import Settlement
from midflight.code.version.facade import Namespace
from midflight.code.version.import_watch import imported_names
from midflight.code.version.modules import LOADED, Module, known
from midflight.code.version.version import Version
from midflight.parsing import module_or_none

__all__ = ["NewVersion", "look_at"]

Names = tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class NewVersion:
    """A version that is ready for its commit, with all that the checks said of it. Equal to itself only.

    `before` is the version that is current, None for a first load and after `delete`. `refusals` are those that
    `force` overrides. `differences` are the added, changed and removed names, each sorted. `is_first` says that the
    module was nobody's before, and is in its namespace already. `seconds` is how long the preparation took.
    """

    unit: Unit
    record: Module
    before: Version | None
    version: Version
    namespace: Namespace
    is_first: bool
    identity: Identity | AllNew | None
    state: Settlement | None
    warnings: tuple[Diagnostic, ...]
    refusals: tuple[Diagnostic, ...]
    differences: tuple[Names, Names, Names]
    stale: tuple[StaleNames, ...]
    seconds: float = 0.0

    @property
    def number_before(self) -> int | None:
        """The number of the version that is current, if one is."""
        return None if self.before is None else self.before.number

    def problem(self, message: str, code: str) -> Diagnostic:
        """Return an error that is about the module, not about a line of it."""
        return module_problem(self.unit.path, message, code)


def look_at(draft: Draft, group: Mapping[str, Namespace], *, force: bool) -> NewVersion:
    """Check a version whose body has run. `group` are the namespaces that are to become current together.

    With `force` what would be refused is a warning. May be repeated when something else has become current meanwhile.
    """
    unit, before, version = draft.unit, draft.before, draft.version
    warnings, refusals = list(draft.warnings), []
    found = findings(unit.text, unit.tree, unit.path, draft.namespace, draft.record.facade.module)
    version.known_problems = frozenset(finding.key for finding in found)
    # Of a version whose text is not known, nobody can say that a problem is new.
    is_refused = before is None or before.known_problems is not None
    known = (before.known_problems if before is not None else None) or frozenset()
    for finding in found:
        if is_refused and finding.problem.severity == "error" and finding.key not in known:
            refusals.append(finding.problem)
        else:
            warnings.append(replace(finding.problem, severity="warning"))
    version.differences = _differences(draft)
    warnings += _notes(draft)
    if force:
        warnings += (replace(each, severity="warning") for each in refusals)
        refusals = []
    return NewVersion(
        unit=unit,
        record=draft.record,
        before=before,
        version=version,
        namespace=draft.namespace,
        is_first=draft.is_first,
        identity=draft.identity,
        state=draft.state,
        warnings=tuple(warnings),
        refusals=tuple(refusals),
        differences=version.differences,
        stale=tuple(stale_imports(unit.name, draft.namespace, group)),
    )


def _notes(draft: Draft) -> Iterator[Diagnostic]:
    """Yield the notes on the whole module: its differences are not known, or it runs as `__main__` too."""
    unit, before = draft.unit, draft.before
    if before is not None and before.text is None:
        text = f"the text of version {before.number} is not known, so what changed inside its definitions is not either"
        classes = len(draft.identity.superseded) if draft.identity is not None else 0
        if classes:
            text += f"; {'its class is' if classes == 1 else f'all {classes} classes are'} new"
        yield replace(module_problem(unit.path, text, "unknown-text"), severity="note")
    if isinstance(draft.identity, Identity) and draft.identity.renewed:
        names = draft.identity.renewed
        one = f"{names[0]} stays the same class" if len(names) == 1 else f"{', '.join(names)} stay the same classes"
        text = f"{one}, for a library knows it by name and takes it once: functions in it get their new code in place, "
        text += "for its objects and for processes in older versions too"
        yield replace(module_problem(unit.path, text, "fixed"), severity="note")
    loaded = [name for name, path in LOADED.files_called(os.path.basename(unit.path)) if path == unit.path]
    current = [name for name in loaded if (record := known(name)) is not None and record.current is not None]
    others = sorted({*current, *imported_names(unit.path)} - {unit.name, *PROGRAM})
    if others:
        text = f"{unit.path} is also imported as {', '.join(others)}, another module, which keeps running what it has"
        text += "; import it by one name everywhere"
        yield replace(module_problem(unit.path, text, "two-modules"), severity="warning")
    if is_program(draft.record.facade.module) and before is not None and before.text is not None:
        tree = module_or_none(before.text)
        if tree is not None and not is_same_below_guard(tree, unit.tree):
            text = 'what stands below `if __name__ == "__main__":` differs: a load does not run it, the next start does'
            yield replace(module_problem(unit.path, text, "main"), severity="note")
    main = getattr(sys.modules.get("__main__"), "__file__", None)
    if (before is None or before.is_imported) and main == unit.path and not is_program(draft.record.facade.module):
        text = f"this file also runs as __main__, another module: what runs there does not move to {unit.name}"
        yield replace(module_problem(unit.path, text, "main"), severity="warning")


def _differences(draft: Draft) -> tuple[Names, Names, Names]:
    before = draft.before
    if before is None:
        return (), (), ()
    if before.text is not None:
        return compare(definitions_of(before.text), definitions_of(draft.unit.text))
    return compare(_own_names(before.namespace or {}), _own_names(draft.namespace))


def _own_names(namespace: Namespace) -> dict[str, str]:
    """Return the functions and classes of a namespace as definitions that are all alike."""
    name = namespace.get("__name__")
    return {key: "" for key, value in list(namespace.items()) if carried_module(value) == name}
