"""Modules whose file on disk is not the text that runs."""

from __future__ import annotations

from midflight.code.load.adopt import imported_modules
from midflight.code.source.unit import read_text
from midflight.code.version.import_watch import is_changed_on_disk
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
    names += [name for name, _, module in imported_modules() if is_changed_on_disk(module)]
    return tuple(sorted(names))


def _is_modified(version: Version | None) -> bool:
    if version is None:
        return False
    text = read_text(version.path)
    return isinstance(text, str) and digest(text) != version.digest
