"""The code server: any number of versions of a module side by side, one current, and who runs which.

Everything here can be called from any thread. A module's versions are the interpreter's, as its modules are: there is
one code server, whatever runtimes run.
"""

from midflight.code.census.history import (
    VersionInfo,
    check_process_code,
    current_version,
    diff,
    is_loaded,
    processes,
    source,
    versions,
)
from midflight.code.census.version_history import VersionRecord, lingering, module_name, version_history
from midflight.code.census.why_alive import Keeper, WhyAlive, why_alive
from midflight.code.editing.check import Checked, check
from midflight.code.editing.define import Defined, load_definition
from midflight.code.editing.preview import Change, Preview, RehearsalReport, preview
from midflight.code.editing.running import Running, running_at
from midflight.code.editing.waiting import Spot, waiting, waiting_at
from midflight.code.identity.current import current
from midflight.code.identity.migrate import migrate, migrate_state, old_instances
from midflight.code.identity.rebind import is_renewed
from midflight.code.identity.server_state import attributes_of, copied, moved, replaced
from midflight.code.load.load import delete, load, load_many, load_modified, move, purge, rollback, soft_purge
from midflight.code.load.modified import modified_modules
from midflight.code.loading.load_thread import LoadThread, break_off, loads
from midflight.code.loading.under_way import LoadInfo
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
from midflight.code.report.of_many import summary_of_many, text_of_many
from midflight.code.report.upgrade_report import ServerChange, UpgradeReport
from midflight.code.source.annotations import annotations_of, names_around, signature_of
from midflight.code.source.compare import Comparison, Difference, Gone, compare_texts
from midflight.code.source.definitions import Diff
from midflight.code.source.replace_definition import NoDefinition
from midflight.code.upgrade.upgrade import (
    load_or_upgrade,
    load_or_upgrade_many,
    upgrade,
    upgrade_many,
    upgrade_many_sync,
    upgrade_sync,
)
from midflight.code.version.hooks import on_load, on_unload, once
from midflight.code.version.snapshots import readable, real_path
from midflight.code.version.version import loader_var
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
    "Change",
    "Checked",
    "Comparison",
    "Defined",
    "Diagnostic",
    "Diff",
    "Difference",
    "Gone",
    "Keeper",
    "Lingering",
    "LoadError",
    "LoadInfo",
    "LoadInterrupted",
    "LoadReport",
    "LoadThread",
    "MigrationError",
    "MoveReport",
    "NoDefinition",
    "NotMoved",
    "NotPurged",
    "Preview",
    "RehearsalReport",
    "Running",
    "ServerChange",
    "Spot",
    "StaleImport",
    "Superseded",
    "UnknownModuleError",
    "UnknownVersionError",
    "UpgradeError",
    "UpgradeReport",
    "VersionInfo",
    "VersionRecord",
    "WhyAlive",
    "annotations_of",
    "attributes_of",
    "break_off",
    "check",
    "check_process_code",
    "compare_texts",
    "copied",
    "current",
    "current_version",
    "delete",
    "diff",
    "is_loaded",
    "is_renewed",
    "lingering",
    "load",
    "load_definition",
    "load_many",
    "load_modified",
    "load_or_upgrade",
    "load_or_upgrade_many",
    "loader_var",
    "loads",
    "migrate",
    "migrate_state",
    "modified_modules",
    "module_name",
    "move",
    "moved",
    "names_around",
    "old_instances",
    "on_load",
    "on_unload",
    "once",
    "preview",
    "processes",
    "purge",
    "readable",
    "real_path",
    "replaced",
    "rollback",
    "running_at",
    "signature_of",
    "soft_purge",
    "source",
    "summary",
    "summary_of_many",
    "text",
    "text_of_many",
    "upgrade",
    "upgrade_many",
    "upgrade_many_sync",
    "upgrade_sync",
    "version_history",
    "versions",
    "waiting",
    "waiting_at",
    "why_alive",
]
