"""The beginning of the keeping of texts: what runs already is kept, and takes its place behind what ran before."""

from __future__ import annotations

from collections.abc import Callable

from midflight.code.load.adopt import imported_modules
from midflight.code.version.imported_versions import keep_imported
from midflight.code.version.modules import all_modules
from midflight.code.version.text_keeper import TextKeeper, keep, note_text_keeper

__all__ = ["keep_texts_by"]


def keep_texts_by(keeper: TextKeeper) -> Callable[[], None]:
    """Have the texts of versions kept by `keeper` from now on, until what is returned is called.

    The versions of modules that are loaded already get numbers above those that `keeper` knows from before.
    """
    leave = note_text_keeper(keeper)
    for record in all_modules():
        record.take_past(keeper.past_of(record.name))
        own = [version for _, version in sorted(record.versions.items()) if not version.is_earlier]
        keep(version for version in own if version is not record.current)
        if record.current is not None:
            keep([record.current])
    for _, _, module in imported_modules():
        keep_imported(module)
    keeper.write_soon()
    return leave
