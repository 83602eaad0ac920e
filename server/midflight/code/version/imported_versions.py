"""The texts of modules that Python imports, for a `TextKeeper`: what ran is known of them too.

Such a module gets its number here, and the same one if it is taken under the code server later.
"""

from __future__ import annotations

import os
from types import ModuleType

from midflight.code.source.find_module import PROGRAM, is_project_file
from midflight.code.source.look import is_module, module_value
from midflight.code.source.unit import encoding_of
from midflight.code.version.import_watch import imported_text, names_of, noted_text
from midflight.code.version.modules import Versions, known
from midflight.code.version.text_keeper import keep, text_keepers, write_soon
from midflight.code.version.version import Version, digest

__all__ = ["keep_imported"]


def keep_imported(module: ModuleType) -> None:
    """Keep the text of a module of the project that was imported and never loaded, if it is another than ran last."""
    if not text_keepers or not is_module(module):
        return
    name, path = str(names_of(module).get("__name__")), module_value(module, "__file__")
    if name in PROGRAM or known(name) is not None or type(path) is not str or not is_project_file(path):
        return
    text = noted_text(module)
    if text is None:
        return
    before = Versions(name)
    if before.last_run is not None and before.last_run.digest == digest(text):
        return
    text = imported_text(module)  # for which its code is compared, so it is asked last
    if text is not None and isinstance(encoding_of(text, path), str):
        number = before.next_number(digest(text))
        keep([Version(name, number, os.path.abspath(path), text, None, is_imported=True)])
        write_soon()
