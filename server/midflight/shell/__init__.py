"""The shell: one evaluator, shared by Emacs, Neovim and the terminal, and what editors ask of live names and values."""

from midflight.shell.aside import evaluate, run_aside
from midflight.shell.completion import Candidate, Completion, complete
from midflight.shell.crash_record import CrashRecord
from midflight.shell.crashes import Crashes, Restarted, editable
from midflight.shell.definitions import Definition, Target, definition_of, target_of, target_of_value
from midflight.shell.inspecting import Page, Part, page_of, part_of
from midflight.shell.inspecting import Table as InspectorTable
from midflight.shell.looking import look_at, parts_of
from midflight.shell.moving import MovedOne, move_one
from midflight.shell.printing import Printed, printed, printed_items
from midflight.shell.process_rows import COLUMNS, KINDS, Choice, Place, Row, place_of, row_of, rows_of
from midflight.shell.process_tree import Node, tree
from midflight.shell.process_view import FrameView, Kin, ProcessView, State, messages_from, view_of
from midflight.shell.process_watch import ROWS_AN_ANSWER, Changes, Watch
from midflight.shell.references import Reference, references_of
from midflight.shell.replacing import ReplacedState, replace_state
from midflight.shell.scopes import ModuleScope, Scope, ShellScope, module_of_file, resolve
from midflight.shell.session import EvalResult, Session
from midflight.shell.sight import Found, is_there
from midflight.shell.signatures import CallTip, Doc, call_tip, doc_of
from midflight.shell.states import StateText, server_in, state_text

__all__ = [
    "COLUMNS",
    "KINDS",
    "ROWS_AN_ANSWER",
    "CallTip",
    "Candidate",
    "Changes",
    "Choice",
    "Completion",
    "CrashRecord",
    "Crashes",
    "Definition",
    "Doc",
    "EvalResult",
    "Found",
    "FrameView",
    "InspectorTable",
    "Kin",
    "ModuleScope",
    "MovedOne",
    "Node",
    "Page",
    "Part",
    "Place",
    "Printed",
    "ProcessView",
    "Reference",
    "ReplacedState",
    "Restarted",
    "Row",
    "Scope",
    "Session",
    "ShellScope",
    "State",
    "StateText",
    "Target",
    "Watch",
    "call_tip",
    "complete",
    "definition_of",
    "doc_of",
    "editable",
    "evaluate",
    "is_there",
    "look_at",
    "messages_from",
    "module_of_file",
    "move_one",
    "page_of",
    "part_of",
    "parts_of",
    "place_of",
    "printed",
    "printed_items",
    "references_of",
    "replace_state",
    "resolve",
    "row_of",
    "rows_of",
    "run_aside",
    "server_in",
    "state_text",
    "target_of",
    "target_of_value",
    "tree",
    "view_of",
]
