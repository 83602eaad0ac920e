"""The public names are the documented ones, and every package says what others may import."""

from __future__ import annotations

import importlib

import pytest

from architecture.sources import Module, declared_names, modules

# What a program imports from `midflight`. A name that comes or goes is a change that users notice.
MIDFLIGHT = {
    *("run", "Runtime", "spawn", "spawn_link", "spawn_monitor", "processes", "process_info", "is_alive"),
    *("self_", "send", "receive", "sleep", "send_after", "cancel_timer", "group_leader"),
    *("link", "unlink", "monitor", "demonitor", "trap_exit", "exit", "make_ref", "alias", "unalias"),
    *("register", "unregister", "whereis", "registered"),
    *("Pid", "Ref", "Exit", "Down", "CrashReport", "process_dictionary", "run_process"),
    *("ProcessExit", "MidflightError", "NoSuchName", "NoSuchProcess", "NotInProcess", "RegistrationError"),
    *("AlreadyStarted", "CallError", "CallTimeout", "InitFailed", "ChildError", "CodeChangeError"),
    *("GenServer", "Client", "call", "cast", "reply", "stop", "NOREPLY", "IGNORE", "Stop"),
    *("Supervisor", "ChildSpec", "Registry", "Task", "TaskError", "TaskTimeout"),
}

# What `midflight.code` offers to programs at least; the layers above take more from it.
CODE = {
    *("load", "load_many", "rollback", "delete", "purge", "soft_purge", "modified_modules", "load_modified"),
    *("versions", "processes", "check_process_code", "is_loaded", "source", "diff", "current"),
    *("LoadReport", "Diagnostic"),
}


def test_midflight_offers_the_documented_names() -> None:
    """Not one more, not one less."""
    midflight = importlib.import_module("midflight")

    assert set(midflight.__all__) == MIDFLIGHT


def test_midflight_code_offers_the_documented_names() -> None:
    """`midflight.code` is public too."""
    code = importlib.import_module("midflight.code")

    assert CODE - set(code.__all__) == set()


def test_every_package_lists_what_others_may_import() -> None:
    """`__all__` in each `__init__`, as a plain list that can be read without running it."""
    assert [one.name for one in modules() if one.is_package and declared_names(one) is None] == []


@pytest.mark.parametrize("package", sorted(one.name for one in modules() if one.is_package))
def test_what_a_package_lists_is_there(package: str) -> None:
    """A listed name exists, once."""
    found = importlib.import_module(package)

    assert [name for name in found.__all__ if not hasattr(found, name)] == []
    assert len(set(found.__all__)) == len(found.__all__)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('__all__ = ["a", "b"]', ("a", "b")),
        ('__all__: list[str] = ["a"]', ("a",)),
        ("__all__: tuple[str, ...] = ()", ()),
        ("__all__ = [*other.__all__]", None),
        ('names = ["a"]', None),
    ],
)
def test_the_list_is_read_from_the_source(text: str, names: tuple[str, ...] | None) -> None:
    """A missing list and one that is computed are both no list."""
    assert declared_names(Module("midflight.kernel", text, True)) == names
