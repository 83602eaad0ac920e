"""The texts that ran last, in place of the files: what `code="last"` has Python import.

The life of a text: a store offers it -> a module of that name is imported for the first time -> its loader, of
whatever finder, is given this text for the contents of its file. A load names its text itself, and is not concerned.

Law: no byte code is read or written for such a text, and no file of the project is.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from types import ModuleType
from typing import Any

from midflight.code.source.unit import encoding_of
from midflight.code.version.modules import known
from midflight.code.version.version import Version

__all__ = ["given_text", "last_data", "last_text_of", "offer_last_texts"]

_offered: dict[str, Version] = {}


def offer_last_texts(versions: Mapping[str, Version]) -> Callable[[], None]:
    """Have modules imported with these texts, by name, until what is returned is called."""
    _offered.update(versions)
    if _finder not in sys.meta_path:
        sys.meta_path.append(_finder)

    def take_back() -> None:
        for name, version in versions.items():
            if _offered.get(name) is version:
                del _offered[name]
        if not _offered and _finder in sys.meta_path:
            sys.meta_path.remove(_finder)

    return take_back


def last_text_of(path_or_name: str) -> str | None:
    """Return the text with which the module of that name or file begins; None if its file is to be read."""
    for name, version in _offered.items():
        is_meant = name == path_or_name or os.path.realpath(version.path) == os.path.realpath(path_or_name)
        if is_meant and known(name) is None:
            return version.text
    return None


def last_data(name: str, path: str) -> bytes | None:
    """Return the bytes to be taken for the file `path` of module `name`, None if those on the disk are."""
    version = _offered.get(name)
    if version is None or known(name) is not None or os.path.realpath(version.path) != os.path.realpath(path):
        return None
    text = version.text
    encoding = None if text is None else encoding_of(text, path)
    return text.encode(encoding) if text is not None and isinstance(encoding, str) else None


@contextmanager
def given_text(loader: Any, data: bytes) -> Iterator[None]:
    """Have `loader` find `data` in its file while the block runs."""
    names = vars(loader)
    path, of_class = loader.path, loader.get_data
    names["get_data"] = lambda asked: data if asked == path else of_class(asked)
    names["path_stats"] = _no_stats  # so it looks for no byte code, and writes none
    try:
        yield
    except SyntaxError as error:
        error.add_note(f'This is not the file {path} but its text that ran last, which code = "last" has asked for.')
        raise
    finally:
        del names["get_data"], names["path_stats"]


def _no_stats(path: str) -> dict[str, Any]:
    raise OSError(f"{path} is not looked at: another text is in its place")


class _GoneFiles:
    """At the end of `sys.meta_path`: finds the modules whose files nobody finds any more."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002  # Python passes it to every finder
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Return the spec of a module that ran last and has no file now."""
        version = _offered.get(fullname)
        if version is None or known(fullname) is not None or not os.path.isabs(version.path):
            return None
        is_package = os.path.basename(version.path) == "__init__.py"
        folders = [os.path.dirname(version.path)] if is_package else None
        loader = SourceFileLoader(fullname, version.path)
        return spec_from_file_location(fullname, version.path, loader=loader, submodule_search_locations=folders)


_finder = _GoneFiles()
