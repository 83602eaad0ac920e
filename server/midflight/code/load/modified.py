"""Modules whose file on disk is not the text that runs."""

from __future__ import annotations

from midflight.code.load.adopt import changed_since_import, imported_modules
from midflight.code.source.find_module import ModulePlace
from midflight.code.source.unit import Rejection, read_text, unit_at
from midflight.code.version.modules import all_modules
from midflight.code.version.version import Version, digest

__all__ = ["modified_modules"]


def modified_modules() -> tuple[str, ...]:
    """Return the names of the modules whose file differs from the loaded text, sorted.

    Those too of the project's modules that were only imported, as far as that can be known.
    OTP: code:modified_modules/0.

    Example:

        code.modified_modules()  # -> ()
        code.load("shop", TEXT.replace("PRICE = 2", "PRICE = 3"))
        code.modified_modules()  # -> ('shop',)
    """
    names = [module.name for module in all_modules() if _is_modified(module.current)]
    for name, path, module in imported_modules():
        unit = unit_at(ModulePlace(name, path), None)
        if not isinstance(unit, Rejection) and changed_since_import(unit, module):
            names.append(name)
    return tuple(sorted(names))


def _is_modified(version: Version | None) -> bool:
    if version is None:
        return False
    text = read_text(version.path)
    return isinstance(text, str) and digest(text) != version.digest
