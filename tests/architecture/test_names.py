"""The public names are the documented ones, and every package says what others may import."""

from __future__ import annotations

import ast
import importlib

import pytest

from architecture.sources import Module, declared_names, modules

# What a program imports from `midflight`. A name that comes or goes is a change that users notice.
MIDFLIGHT = {
    *("run", "Runtime", "spawn", "spawn_link", "spawn_monitor", "processes", "process_info", "is_alive"),
    *("self_", "send", "receive", "sleep", "send_after", "cancel_timer", "group_leader", "get_line"),
    *("link", "unlink", "monitor", "demonitor", "trap_exit", "exit", "make_ref", "alias", "unalias"),
    *("register", "unregister", "whereis", "registered"),
    *("Pid", "Ref", "Exit", "Down", "CrashReport", "process_dictionary", "run_process"),
    *("ProcessExit", "MidflightError", "NoSuchName", "NoSuchProcess", "NotInProcess", "RegistrationError"),
    *("AlreadyStarted", "ApplicationError", "CallError", "CallTimeout", "InitFailed", "ChildError", "CodeChangeError"),
    *("NotDurable", "StoreError"),
    *("GenServer", "Client", "call", "cast", "reply", "stop", "NOREPLY", "IGNORE", "Stop"),
    *("Continue", "Timeout", "started", "limit_process", "StateMachine", "Next"),
    *("Supervisor", "ChildSpec", "Registry", "Task", "TaskError", "TaskTimeout"),
    *(
        "Agent",
        "DynamicSupervisor",
        "PartitionSupervisor",
        "TaskSupervisor",
        "PubSub",
        "Table",
        "TableTransfer",
        "MailboxWatch",
    ),
    *("live", "serve", "serve_in_background", "EmbeddedServer"),
}

# What a program calls of the code server, and what it gets back from that.
CODE = {
    *("load", "load_many", "load_modified", "upgrade", "upgrade_many", "rollback", "move", "purge", "soft_purge"),
    *("delete", "preview", "check", "loads", "break_off", "summary", "text"),
    *(
        "versions",
        "version_history",
        "current_version",
        "is_loaded",
        "modified_modules",
        "missing_modules",
        "source",
        "diff",
    ),
    *("processes", "check_process_code", "lingering", "why_alive"),
    *("current", "migrate", "migrate_state", "old_instances", "on_load", "on_unload", "once", "live"),
    *("recover", "forget", "migrate_objects", "Gone"),
    *("LoadReport", "UpgradeReport", "MoveReport", "RehearsalReport", "Preview", "Checked", "Diff", "WhyAlive"),
    *("Change", "Diagnostic", "Keeper", "Lingering", "LoadInfo", "NotMoved", "ServerChange", "StaleImport"),
    *("Superseded", "VersionInfo", "Held", "Holder", "Holders", "StaleSubclass"),
    "StateChange",
    *("forward", "ForwardReport", "NotForwarded", "on_change", "ModuleChange", "Adapter", "StaleCall"),
    *(
        "LoadError",
        "LoadInterrupted",
        "MigrationError",
        "MissingModule",
        "NotPurged",
        "UnknownModuleError",
        "UnknownVersionError",
    ),
    "UpgradeError",
}

# What front ends and the layers above take besides.
LOWLEVEL = {
    *(
        "forward_summary",
        "holder_lines",
        "imported_modules",
        "load_definition",
        "load_definitions",
        "load_or_upgrade",
        "load_or_upgrade_many",
        "upgrade_sync",
        "version_of_namespace",
        "PlannedModule",
        "plan_faults",
        "planned_modules",
        "upgrade_many_sync",
    ),
    *("running_at", "compare_texts", "waiting", "waiting_at", "module_name", "real_path", "on_stale_call", "readable"),
    *("note_project", "watch_imports", "run_bodies_on_runtime"),
    *("RunningText", "running_texts", "text_behind", "on_new_versions"),
    *("Load", "gone_modules", "saved_modules"),
    *("note_body_of_program", "split_at_guard", "watch_before_program"),
    *(
        "become",
        "copied",
        "copies_of",
        "fields_of",
        "renew_members",
        "replaced",
        "annotations_of",
        "names_around",
        "signature_of",
    ),
    *(
        "ChangedServer",
        "NotAsLast",
        "Past",
        "Version",
        "keep_texts_by",
        "last_text_of",
        "not_as_last",
        "note_earlier_file",
        "note_journal",
        "run_last",
        "why_gone_back",
        "Acceptance",
        "DECLARED_FIELDS",
        "Shape",
        "acceptance_of",
        "is_change_due",
        "is_project_module",
        "line_map",
        "put_fields",
        "shape_of",
        "unrestored",
    ),
    *("summary_of_many", "text_of_many", "loader_var", "LoadThread"),
    *("Comparison", "Defined", "Difference", "Removed", "NoDefinition", "Running", "Spot", "Version"),
}


def test_midflight_offers_the_documented_names() -> None:
    """Not one more, not one less."""
    midflight = importlib.import_module("midflight")

    assert set(midflight.__all__) == MIDFLIGHT


def test_midflight_code_offers_the_documented_names() -> None:
    """Not one more, not one less; a completion by dir() shows no others."""
    code = importlib.import_module("midflight.code")

    assert set(code.__all__) == CODE
    assert set(dir(code)) == CODE


def test_midflight_code_lowlevel_offers_what_front_ends_need() -> None:
    """Not one more, not one less; none of them is among the names for programs."""
    lowlevel = importlib.import_module("midflight.code.lowlevel")

    assert set(lowlevel.__all__) == LOWLEVEL
    assert set() == LOWLEVEL & CODE


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


@pytest.mark.parametrize("package", [one for one in modules() if one.is_package and "names_of(" in one.text])
def test_names_that_come_late_are_those_that_type_checkers_see(package: Module) -> None:
    """The same names from the same modules, under TYPE_CHECKING and in the table.

    None is the name of a module of the package too: its import would take the name.
    """
    seen: dict[str, set[str]] = {}
    table: dict[str, set[str]] = {}
    for node in ast.walk(package.tree):
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING" | "_TYPE_CHECKING"), body=body):
                for each in body:
                    if isinstance(each, ast.ImportFrom) and each.module != package.name:
                        seen.setdefault(each.module or "", set()).update(alias.name for alias in each.names)
            case ast.Call(func=ast.Name(id="names_of" | "_names_of"), args=[_, ast.Dict() as names]):
                table = {home: set(listed.split()) for home, listed in ast.literal_eval(names).items()}

    assert table == seen
    names = set().union(*table.values())
    assert {one for one in names if f"{package.name}.{one}" in {each.name for each in modules()}} == set()
