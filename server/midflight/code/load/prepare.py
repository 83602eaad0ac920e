"""`prepare`, the first half of a load: make each version aside, run its body, check it. All that can fail is in here.

Nothing that others see has changed when it is done, but that a module nobody had imported is in `sys.modules`, as
during an import, and that a module which was only imported is under the code server, as its own version 1.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from dataclasses import replace
from functools import partial
from importlib.machinery import ModuleSpec
from types import ModuleType

from midflight.code.checks.before_body import findings_before_body
from midflight.code.load.adopt import adopt
from midflight.code.load.attempt import Attempt
from midflight.code.load.draft import Draft
from midflight.code.load.last_look import look_at_live_code
from midflight.code.load.load_order import in_order
from midflight.code.load.new_version import NewVersion, look_at
from midflight.code.load.overtaken import mentions, overtaken_by
from midflight.code.load.program_runs import check_program
from midflight.code.load.refill import refill
from midflight.code.load.refused import Failure, Refused, module_problem, refused
from midflight.code.load.search_path import search_path
from midflight.code.loading.lock import load_lock
from midflight.code.loading.runtime_thread import on_runtime_thread
from midflight.code.loading.under_way import Doing
from midflight.code.source.find_module import PROGRAM
from midflight.code.source.look import is_module
from midflight.code.source.unit import Unit
from midflight.code.state.imported import watch_imports
from midflight.code.version import class_files
from midflight.code.version.import_hook import VersionLoader, finder, loader_elsewhere, spec_of
from midflight.code.version.modules import Module, known

__all__ = ["prepare"]


def prepare(load: Attempt) -> tuple[NewVersion, ...]:
    """Return the new versions, ready for their commit; called again, bring them up to date with the commits of others.

    If those have committed what a body was run with, all is made once more, from the beginning.
    Raises: Refused; KeyboardInterrupt.
    """
    why = None
    if not load.new:
        if on_runtime_thread(load.options.thread):
            _make_all_there(load)
        else:
            _make_all(load)
        _look(load)
        why = _failed_import(load)
    if why is None:
        why = _overtaken(load)
    if why is None:
        return load.new
    if load.is_second:
        raise _refused(load.units[0], f"{why}, for the second time", "overtaken")
    load.begin_again()
    return prepare(load)


def _overtaken(load: Attempt) -> str | None:
    """Look again if others have committed modules that these name; say which one a body was run with, if one was."""
    found = load.news(is_known=True)
    for draft in load.drafts if found else ():
        if (why := overtaken_by(draft, found)) is not None:
            return why
    if found:
        _look(load)
    return None


def _failed_import(load: Attempt) -> str | None:
    """Wait for the first loads, by others, of modules that these import; say which of them failed, if one did."""
    for name in load_lock.wait_for_first(load.load, partial(mentions, load.drafts)):
        if name not in sys.modules and mentions(load.drafts, name):
            return f"it has imported {name}, whose load failed"
    return None


def _look(load: Attempt) -> None:
    """Have the checks look at the drafts, and at live code as it is now. Raises: Refused."""
    load.load.enter(Doing.PREPARING)
    group = {draft.unit.name: draft.namespace for draft in load.drafts}
    new = [look_at(draft, group, force=load.options.force) for draft in load.drafts]
    failures = [Failure(each.unit.name, each.unit.path, each.refusals) for each in new if each.refusals]
    if failures:
        raise Refused(failures)
    load.census = look_at_live_code(new, move=load.options.move)
    load.new = tuple(
        replace(each, seconds=draft.unit.seconds + time.perf_counter() - draft.started)
        for draft, each in zip(load.drafts, new, strict=True)
    )
    load.load.check()


# --- The bodies ------------------------------------------------------------------------------------------------


def _make_all(load: Attempt) -> None:
    """Make a version of each module, in the order of their imports; import one that nobody has imported yet."""
    class_files.install()
    watch_imports()
    first = [unit for unit in load.units if unit.name not in sys.modules and known(unit.name) is None]
    load.load.first = frozenset(unit.name for unit in first)
    if not load.options.force:
        for unit in load.units:
            if unit.name in sys.modules and sys.modules[unit.name] is sys.modules.get(PROGRAM[0]):
                check_program(unit)
        _check_texts(load)
    order = in_order(load.units)
    load.ask_at_imports(order.asking, partial(_make_named, load))
    with finder.offering([_spec_to_import(load, unit) for unit in first]):
        for unit in order.units:
            if not load.has_begun(unit):
                _make(load, unit)
    if load.failed is not None:  # a body has caught what another one raised
        raise load.failed
    if len(load.drafts) > 1:
        refill(load.drafts)
        for draft in load.drafts:
            if draft.state is not None:
                draft.state.look_for_holders([each.namespace for each in load.drafts if each is not draft])


def _check_texts(load: Attempt) -> None:
    """Check what the texts alone can tell, before any body runs and touches objects of others. Raises: Refused."""
    failures = []
    for unit in load.units:
        record = known(unit.name)
        before = None if record is None else record.current
        if record is None and unit.name in sys.modules:
            continue  # its text is not looked at yet, so nobody knows what its processes live with
        if before is not None and before.known_problems is None:
            continue
        module = ModuleType(unit.name) if record is None else record.facade.module
        accepted = frozenset() if before is None else before.known_problems or frozenset()
        found = findings_before_body(unit, before, module)
        problems = tuple(each.problem for each in found if each.key not in accepted)
        if problems:
            failures.append(Failure(unit.name, unit.path, problems))
    if failures:
        raise Refused(failures)


def _make_all_there(load: Attempt) -> None:
    """Make all on the runtime's thread, between two turns: what the bodies make then belongs to that thread."""
    began = time.perf_counter()
    load_lock.call(partial(_make_and_look_away, load))
    milliseconds = (time.perf_counter() - began) * 1000
    for draft in load.drafts:
        why = f"its body ran on the runtime's thread, and held up all processes for {milliseconds:.1f} ms"
        draft.warnings.append(replace(module_problem(draft.unit.path, why, "body-thread"), severity="note"))


def _make_and_look_away(load: Attempt) -> None:
    with load.load.on_this_thread():
        try:
            _make_all(load)
        finally:  # the processes on this thread must see the versions that are current
            for draft in load.drafts:
                draft.record.facade.end()


def _spec_to_import(load: Attempt, unit: Unit) -> ModuleSpec:
    def execute_first(module: ModuleType) -> None:
        record = Module(unit.name, module, loader_elsewhere(unit.name, unit.path))
        load.make(Draft(unit, record, load.load, is_first=True))

    return spec_of(unit.name, unit.path, VersionLoader(unit.name, unit.path, execute_first))


def _make_named(load: Attempt, names: str) -> None:
    """Make the modules with these names, with spaces between them, where a body has come to their import."""
    for name in names.split():
        for unit in load.units:
            if unit.name == name and not load.has_begun(unit):
                _make(load, unit)


def _make(load: Attempt, unit: Unit) -> None:
    with load.load.acting():
        if unit.place.root is not None:
            search_path.need(unit.place.root, load.load)
        record = known(unit.name)
        if unit.name not in sys.modules and record is not None:  # somebody took it out: it is put back
            sys.modules[unit.name] = record.facade.module
            load.on_put_back(lambda: sys.modules.pop(unit.name, None))
    _import(load, unit)
    if load.has_begun(unit):
        return
    module = sys.modules[unit.name]
    _check_place(unit, module, force=load.options.force)
    with load.load.acting():
        record = adopt(unit.name, getattr(module, "__file__", None) or unit.path)
    load.make(Draft(unit, record, load.load, is_first=False))


def _import(load: Attempt, unit: Unit) -> None:
    """Import the module: this makes it, if nobody did before; and waits for another thread that just does."""
    try:
        load.load.run_body(unit.name, importlib.import_module, unit.name)
    except (KeyboardInterrupt, Refused):
        raise
    except BaseException as error:  # of the body of a package that it is in
        why = f"its package cannot be imported: {type(error).__name__}: {error}"
        raise _refused(unit, why, "package") from error


def _check_place(unit: Unit, module: ModuleType, *, force: bool) -> None:
    """Refuse a module that cannot be taken over, or that is another one than was meant."""
    if not is_module(module):
        raise _refused(unit, "what sys.modules has under its name is no module", "replaced")
    if getattr(module.__spec__, "_initializing", False):
        raise _refused(unit, "it is being imported, by what asks to load it", "nested")
    record = known(unit.name)
    if record is not None and record.current is None:  # it was deleted: its name is free
        return
    file = record.path if record is not None else getattr(module, "__file__", None)
    is_other = file is not None and os.path.exists(file) and not os.path.samefile(file, unit.path)
    if is_other and not force:
        raise _refused(unit, f"the name {unit.name} is that of {file}, which is loaded", "other-file")


def _refused(unit: Unit, message: str, code: str) -> Refused:
    return refused(unit, [module_problem(unit.path, message, code)])
