"""The shell: one evaluator, shared by Emacs, Neovim and the terminal, and what editors ask of live names and values."""

from midflight.shell.aside import evaluate, run_aside
from midflight.shell.completion import Candidate, Completion, complete
from midflight.shell.definitions import Definition, Target, definition_of, target_of, target_of_value
from midflight.shell.inspecting import Page, Part, page_of, part_of
from midflight.shell.inspecting import Table as InspectorTable
from midflight.shell.references import Reference, references_of
from midflight.shell.scopes import ModuleScope, Scope, ShellScope, module_of_file, resolve
from midflight.shell.session import EvalResult, Session
from midflight.shell.sight import Found, is_there
from midflight.shell.signatures import CallTip, Doc, call_tip, doc_of

__all__ = [
    "CallTip",
    "Candidate",
    "Completion",
    "Definition",
    "Doc",
    "EvalResult",
    "Found",
    "InspectorTable",
    "ModuleScope",
    "Page",
    "Part",
    "Reference",
    "Scope",
    "Session",
    "ShellScope",
    "Target",
    "call_tip",
    "complete",
    "definition_of",
    "doc_of",
    "evaluate",
    "is_there",
    "module_of_file",
    "page_of",
    "part_of",
    "references_of",
    "resolve",
    "run_aside",
    "target_of",
    "target_of_value",
]
