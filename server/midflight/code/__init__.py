"""The code server: any number of versions of a module side by side, one current, and the processes that run each.

Everything here can be called from any thread. A module's versions are the interpreter's, as its modules are: there is
one code server, whatever runtimes run. What a front end needs besides is in `midflight.code.lowlevel`.
"""

from midflight.code.census.history import (
    check_process_code,
    current_version,
    diff,
    is_loaded,
    processes,
    source,
)
from midflight.code.census.version_history import VersionInfo, lingering, version_history, versions
from midflight.code.census.why_alive import Keeper, WhyAlive, why_alive
from midflight.code.editing.check import Checked, check
from midflight.code.editing.preview import Change, Preview, RehearsalReport, preview
from midflight.code.held.forwarding import forward
from midflight.code.held.live import live
from midflight.code.held.on_change import Adapter, ModuleChange, on_change
from midflight.code.identity.current import current
from midflight.code.identity.gone import Gone
from midflight.code.identity.migrate import migrate, migrate_state, old_instances
from midflight.code.load.delete import delete
from midflight.code.load.load import load, load_many, load_modified, rollback
from midflight.code.load.modified import MissingModule, missing_modules, modified_modules
from midflight.code.load.purge import purge, soft_purge
from midflight.code.loading.load_thread import break_off, loads
from midflight.code.loading.under_way import LoadInfo
from midflight.code.move.move import move
from midflight.code.report.held import ForwardReport, Held, Holder, Holders, NotForwarded, StaleCall, StaleSubclass
from midflight.code.report.load_report import (
    Diagnostic,
    Lingering,
    LoadReport,
    MoveReport,
    NotMoved,
    StaleImport,
    Superseded,
    summary,
    text,
)
from midflight.code.report.state_report import StateChange
from midflight.code.report.upgrade_report import ServerChange, UpgradeReport
from midflight.code.source.definitions import Diff
from midflight.code.state.left_behind import forget, recover
from midflight.code.state.take_new_classes import migrate_objects
from midflight.code.upgrade.upgrade import upgrade, upgrade_many
from midflight.code.version.hooks import on_load, on_unload, once
from midflight.errors import (
    LoadError,
    LoadInterrupted,
    MigrationError,
    NotPurged,
    UnknownModuleError,
    UnknownVersionError,
    UpgradeError,
)

__all__ = [
    "Adapter",
    "Change",
    "Checked",
    "Diagnostic",
    "Diff",
    "ForwardReport",
    "Gone",
    "Held",
    "Holder",
    "Holders",
    "Keeper",
    "Lingering",
    "LoadError",
    "LoadInfo",
    "LoadInterrupted",
    "LoadReport",
    "MigrationError",
    "MissingModule",
    "ModuleChange",
    "MoveReport",
    "NotForwarded",
    "NotMoved",
    "NotPurged",
    "Preview",
    "RehearsalReport",
    "ServerChange",
    "StaleCall",
    "StaleImport",
    "StaleSubclass",
    "StateChange",
    "Superseded",
    "UnknownModuleError",
    "UnknownVersionError",
    "UpgradeError",
    "UpgradeReport",
    "VersionInfo",
    "WhyAlive",
    "break_off",
    "check",
    "check_process_code",
    "current",
    "current_version",
    "delete",
    "diff",
    "forget",
    "forward",
    "is_loaded",
    "lingering",
    "live",
    "load",
    "load_many",
    "load_modified",
    "loads",
    "migrate",
    "migrate_objects",
    "migrate_state",
    "missing_modules",
    "modified_modules",
    "move",
    "old_instances",
    "on_change",
    "on_load",
    "on_unload",
    "once",
    "preview",
    "processes",
    "purge",
    "recover",
    "rollback",
    "soft_purge",
    "source",
    "summary",
    "text",
    "upgrade",
    "upgrade_many",
    "version_history",
    "versions",
    "why_alive",
]


def __dir__() -> list[str]:
    """Return the public names: what a completion in a shell shows, without the folders that the code stands in."""
    return __all__
