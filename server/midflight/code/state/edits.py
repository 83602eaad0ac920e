"""The changes that a merge makes in a container that lives, each with its undo."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from midflight.code.state.base import MOST
from midflight.code.state.saved import SavedList, SavedMapping, SavedSet

__all__ = ["BytesEdit", "Edit", "MappingEdit", "SequenceEdit", "SetEdit", "WholeEdit"]


class MappingEdit:
    """A change of a dict or one of its relatives. `order`: the keys as they are to stand, None to leave them."""

    def __init__(self, target: Any, gone: Collection[Any], put: dict[Any, Any], order: Sequence[Any] | None) -> None:
        self.target = target
        self._gone, self._put = SavedList(gone), SavedMapping(put)
        self._order = None if order is None else SavedList(order)
        self._saved: dict[Any, Any] | None = None
        self._is_whole = True

    @property
    def changes_size(self) -> bool:
        """Whether a loop over the container would end with an error after it."""
        return bool(self._gone) or self._order is not None or any(key not in self.target for key in self._put)

    def apply(self) -> None:
        """Change the container."""
        target = self.target
        # A very large one is not copied: its undo puts back what was touched, at the end.
        self._is_whole = len(target) <= MOST
        touched = target if self._is_whole else [key for key in (*self._gone, *self._put) if key in target]
        self._saved = SavedMapping((key, target[key]) for key in touched)
        for key in self._gone:
            target.pop(key, None)
        for key, value in self._put.items():
            target[key] = value  # not by `update`: that of a Counter adds
        for key in self._order or ():
            target[key] = target.pop(key)

    def undo(self) -> None:
        """Give the container the items back that it had before `apply`."""
        target, saved, self._saved = self.target, self._saved, None
        if saved is None:
            return
        for key in list(target) if self._is_whole else [key for key in self._put if key in target]:
            del target[key]
        for key, value in saved.items():
            target[key] = value


class SetEdit:
    """A change of a set."""

    def __init__(self, target: set[Any], gone: Iterable[Any], put: Iterable[Any]) -> None:
        self.target = target
        self._gone, self._put = SavedList(gone), SavedList(put)
        self._saved: list[SavedSet] = []

    @property
    def changes_size(self) -> bool:
        """Whether a loop over the container would end with an error after it."""
        return bool(self._gone or self._put)

    def apply(self) -> None:
        """Change the container."""
        self._saved = [SavedSet(self.target)]
        self.target.difference_update(self._gone)
        self.target.update(self._put)

    def undo(self) -> None:
        """Give the container the items back that it had before `apply`."""
        for saved in self._saved:
            self.target.clear()
            self.target.update(saved)
        self._saved = []


class SequenceEdit:
    """A change of a list or a deque: all its elements, in one step where Python has one."""

    def __init__(self, target: Any, result: Iterable[Any]) -> None:
        self.target = target
        self._result = SavedList(result)
        self._saved: list[SavedList] = []

    @property
    def changes_size(self) -> bool:
        """Whether a loop over the container would end with an error after it: over a list, that goes on."""
        return type(self.target) is not list

    def apply(self) -> None:
        """Change the container."""
        self._saved = [SavedList(self.target)]
        self._fill(self._result)

    def undo(self) -> None:
        """Give the container the items back that it had before `apply`."""
        for saved in self._saved:
            self._fill(saved)
        self._saved = []

    def _fill(self, elements: list[Any]) -> None:
        if type(self.target) is list:
            self.target[:] = elements
        else:
            self.target.clear()
            self.target.extend(elements)


class BytesEdit(SequenceEdit):
    """A change of a bytearray."""

    @property
    def changes_size(self) -> bool:
        """Whether a loop over the container would end with an error after it: it goes on."""
        return False

    def _fill(self, elements: list[Any]) -> None:
        self.target[:] = bytes(elements)


class WholeEdit:
    """A change of all the items of a mapping or set at once, which looks none of them up."""

    changes_size = True

    def __init__(self, target: Any, new: Any) -> None:
        self.target = target
        self._new = new
        self._saved: list[Any] = []

    def apply(self) -> None:
        """Change the container."""
        self._saved = [self.target.copy()]
        self._fill(self._new)

    def undo(self) -> None:
        """Give the container the items back that it had before `apply`."""
        for saved in self._saved:
            self._fill(saved)
        self._saved = []

    def _fill(self, items: Any) -> None:
        self.target.clear()
        self.target.update(items)


Edit = MappingEdit | SetEdit | SequenceEdit | WholeEdit
