"""Code that has gone back behind a state on a disk: a `code_change` that it does not know has made that.

It is known by the texts that a store has kept. A text without a `code_change` may be a newer one from which that was
taken out, and takes the state; or an older one, whose methods would find attributes that are not theirs.
"""

from __future__ import annotations

import sys
from typing import Any

from midflight.code.source.trees import tree_or_none
from midflight.code.upgrade.accepted import Acceptance, acceptance_of, digest_in
from midflight.code.upgrade.callbacks import CALLBACK, newest_version_with
from midflight.code.version.import_watch import noted_text
from midflight.code.version.modules import Versions, known
from midflight.code.version.version import digest

__all__ = ["why_gone_back"]


def why_gone_back(before: Acceptance, cls: type[Any]) -> str | None:
    """Return why `cls` cannot take a state that was accepted as `before` says: its text is older. None if it is not."""
    now = _digest_now(cls)
    if not now or now == before.vsn:
        return None
    record = known(cls.__module__) or Versions(cls.__module__)
    same = [number for number, each in record.versions.items() if each.digest == now and each is not record.current]
    made = [number for number, each in record.versions.items() if each.vsn == before.vsn]
    if not same or not made or min(same) >= min(made):
        return None
    path = [*cls.__qualname__.split("."), CALLBACK]
    own = _callback_in(record.versions[min(same)].text, path)
    between = [each for number, each in sorted(record.versions.items()) if min(same) < number <= min(made)]
    for version in between:
        found = _callback_in(version.text, path)
        if found and found != own and acceptance_of(cls).digest != before.digest:
            return (
                f"it was made by version {min(made)} of {record.name}, and what runs is the text of version "
                f"{min(same)} again, which knows nothing of the code_change of version {version.number}. Load a text "
                f"that does: midflight rollback {record.name} {min(made)}"
            )
    return None


def _digest_now(cls: type[Any]) -> str:
    """Return the digest of the text that `cls` is of, "" if that is not known."""
    version = newest_version_with(cls)
    if version is not None:
        return version.digest
    module = sys.modules.get(cls.__module__)
    return "" if module is None or known(cls.__module__) is not None else digest(noted_text(module))


def _callback_in(text: str | None, path: list[str]) -> str:
    tree = None if text is None else tree_or_none(text)
    return "" if tree is None else digest_in(tree, path)
