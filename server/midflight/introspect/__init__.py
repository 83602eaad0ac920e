"""Live names and values looked at without running any code: completion, signatures, definitions, the inspector."""

from midflight.introspect.apropos import Named, apropos, names_of
from midflight.introspect.completion import Candidate, Completion, complete
from midflight.introspect.definitions import Definition, Target, definition_of, target_of, target_of_value
from midflight.introspect.inspector import Page, Part, page_of, part_of
from midflight.introspect.inspector import Table as InspectorTable
from midflight.introspect.last_expression import last_expression
from midflight.introspect.loaded import find_module, module_names, usable_names
from midflight.introspect.references import Reference, references_of
from midflight.introspect.safe_look import Found, is_there
from midflight.introspect.scopes import ModuleScope, Scope, module_of_file, resolve
from midflight.introspect.signatures import CallTip, Doc, call_tip, doc_of

__all__ = [
    "CallTip",
    "Candidate",
    "Completion",
    "Definition",
    "Doc",
    "Found",
    "InspectorTable",
    "ModuleScope",
    "Named",
    "Page",
    "Part",
    "Reference",
    "Scope",
    "Target",
    "apropos",
    "call_tip",
    "complete",
    "definition_of",
    "doc_of",
    "find_module",
    "is_there",
    "last_expression",
    "module_names",
    "module_of_file",
    "names_of",
    "page_of",
    "part_of",
    "references_of",
    "resolve",
    "target_of",
    "target_of_value",
    "usable_names",
]
