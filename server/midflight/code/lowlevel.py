"""Names of the code server for front ends and for layers above it: tools, not programs, call these.

They change more often than the names of `midflight.code`: what of a file runs, which processes wait at a line, the
state of a server as a dictionary, file names and tracebacks as people read them.
"""

from midflight.code.census.version_history import module_name
from midflight.code.editing.define import Defined, load_definition, load_definitions
from midflight.code.editing.running import Running, running_at
from midflight.code.editing.running_texts import RunningText, running_texts, text_behind
from midflight.code.editing.waiting import Spot, waiting, waiting_at
from midflight.code.held.on_change import on_new_versions
from midflight.code.held.stale_calls import on_stale_call
from midflight.code.identity.fields import DECLARED as DECLARED_FIELDS
from midflight.code.identity.fields import fields_of
from midflight.code.identity.fields import put as put_fields
from midflight.code.identity.members import renew_members
from midflight.code.identity.migrate import become
from midflight.code.identity.server_state import copied, copies_of, replaced
from midflight.code.load.adopt import imported_modules
from midflight.code.load.journal import Changed as ChangedServer
from midflight.code.load.journal import note_journal
from midflight.code.load.keep_texts import keep_texts_by
from midflight.code.load.last_run import NotAsLast, not_as_last, run_last
from midflight.code.load.modified import gone_modules, saved_modules
from midflight.code.loading.load_thread import LoadThread
from midflight.code.loading.runtime_thread import run_bodies_on_runtime
from midflight.code.loading.under_way import Load
from midflight.code.report.held import forward_summary, holder_lines
from midflight.code.report.of_many import summary_of_many, text_of_many
from midflight.code.source.annotations import annotations_of, names_around, signature_of
from midflight.code.source.compare import Comparison, Difference, Removed, compare_texts
from midflight.code.source.find_module import is_project_module, note_project
from midflight.code.source.line_map import line_map
from midflight.code.source.program import split_at_guard
from midflight.code.source.replace_definition import NoDefinition
from midflight.code.state.imported import note_body_of_program, watch_before_program, watch_imports
from midflight.code.upgrade.accepted import Acceptance, Shape, acceptance_of, is_change_due, shape_of
from midflight.code.upgrade.gone_back import why_gone_back
from midflight.code.upgrade.recorded import PlannedModule, plan_faults, planned_modules
from midflight.code.upgrade.unrestored import unrestored
from midflight.code.upgrade.upgrade import load_or_upgrade, load_or_upgrade_many, upgrade_many_sync, upgrade_sync
from midflight.code.version.last_texts import last_text_of
from midflight.code.version.snapshots import note_earlier as note_earlier_file
from midflight.code.version.snapshots import readable, real_path
from midflight.code.version.text_keeper import Past
from midflight.code.version.version import Version, loader_var
from midflight.code.version.version import version_of as version_of_namespace

__all__ = [
    "DECLARED_FIELDS",
    "Acceptance",
    "ChangedServer",
    "Comparison",
    "Defined",
    "Difference",
    "Load",
    "LoadThread",
    "NoDefinition",
    "NotAsLast",
    "Past",
    "PlannedModule",
    "Removed",
    "Running",
    "RunningText",
    "Shape",
    "Spot",
    "Version",
    "acceptance_of",
    "annotations_of",
    "become",
    "compare_texts",
    "copied",
    "copies_of",
    "fields_of",
    "forward_summary",
    "gone_modules",
    "holder_lines",
    "imported_modules",
    "is_change_due",
    "is_project_module",
    "keep_texts_by",
    "last_text_of",
    "line_map",
    "load_definition",
    "load_definitions",
    "load_or_upgrade",
    "load_or_upgrade_many",
    "loader_var",
    "module_name",
    "names_around",
    "not_as_last",
    "note_body_of_program",
    "note_earlier_file",
    "note_journal",
    "note_project",
    "on_new_versions",
    "on_stale_call",
    "plan_faults",
    "planned_modules",
    "put_fields",
    "readable",
    "real_path",
    "renew_members",
    "replaced",
    "run_bodies_on_runtime",
    "run_last",
    "running_at",
    "running_texts",
    "saved_modules",
    "shape_of",
    "signature_of",
    "split_at_guard",
    "summary_of_many",
    "text_behind",
    "text_of_many",
    "unrestored",
    "upgrade_many_sync",
    "upgrade_sync",
    "version_of_namespace",
    "waiting",
    "waiting_at",
    "watch_before_program",
    "watch_imports",
    "why_gone_back",
]
