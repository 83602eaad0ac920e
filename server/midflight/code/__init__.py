"""The code server: any number of versions of a module side by side, one current, and who runs which.

Everything here can be called from any thread. A module's versions are the interpreter's, as its modules are: there is
one code server, whatever runtimes run.
"""

from midflight.code.attributes import attributes_of, copied, moved
from midflight.code.diff import Diff
from midflight.code.history import (
    VersionInfo,
    check_process_code,
    current,
    diff,
    is_loaded,
    modified_modules,
    processes,
    source,
    versions,
)
from midflight.code.hooks import on_load, on_unload, once
from midflight.code.load import delete, load, load_many, load_modified, move, purge, rollback, soft_purge
from midflight.code.migrate import migrate, migrate_state, old_instances
from midflight.code.renewal import is_renewed
from midflight.code.report import (
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
from midflight.code.snapshots import readable, real_path
from midflight.code.upgrade import load_or_upgrade, upgrade, upgrade_sync
from midflight.code.upgrade_report import ServerChange, UpgradeReport
from midflight.errors import LoadError, MigrationError, NotPurged, UnknownModuleError, UnknownVersionError, UpgradeError

__all__ = [
    "Diagnostic",
    "Diff",
    "Lingering",
    "LoadError",
    "LoadReport",
    "MigrationError",
    "MoveReport",
    "NotMoved",
    "NotPurged",
    "ServerChange",
    "StaleImport",
    "Superseded",
    "UnknownModuleError",
    "UnknownVersionError",
    "UpgradeError",
    "UpgradeReport",
    "VersionInfo",
    "attributes_of",
    "check_process_code",
    "copied",
    "current",
    "delete",
    "diff",
    "is_loaded",
    "is_renewed",
    "load",
    "load_many",
    "load_modified",
    "load_or_upgrade",
    "migrate",
    "migrate_state",
    "modified_modules",
    "move",
    "moved",
    "old_instances",
    "on_load",
    "on_unload",
    "once",
    "processes",
    "purge",
    "readable",
    "real_path",
    "rollback",
    "soft_purge",
    "source",
    "summary",
    "text",
    "upgrade",
    "upgrade_sync",
    "versions",
]
