"""The lines of inputs, kept where tracebacks look for them, and the words for the end of a shell's process.

The lines of an input are kept in `linecache` under the name that its frames carry, so tracebacks, `inspect` and the
debugger show them.
"""

from __future__ import annotations

import linecache
from collections.abc import Iterable, Sequence

from midflight.text import error_text, medium, type_name

__all__ = ["end_text", "forget_source", "linked_text", "remember_source"]

_NAMED = 5  # of the processes that ended with a shell's process


def remember_source(filename: str, text: str) -> None:
    """Let tracebacks show the lines of `text`, whose code was compiled as `filename`."""
    if not text.endswith("\n"):
        text += "\n"  # without it traceback misplaces its marks under the last line
    # No time of change: linecache.checkcache then never looks for a file of that name.
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)


def forget_source(filenames: Iterable[str]) -> None:
    """Drop what `remember_source` keeps of `filenames`; unknown ones are passed over."""
    for filename in filenames:
        linecache.cache.pop(filename, None)


def end_text(before: object, reason: object, now: object) -> str:
    """Return the notice that an exit signal ended the shell's process `before` and `now` took its place."""
    said = error_text(reason) if issubclass(type(reason), BaseException) else ""  # type: ignore[arg-type]  # it is one
    shown = type_name(reason) if said else medium(reason)
    return (
        f"{said}The shell's process {before!r} was ended by an exit signal, reason {shown}. "
        f"Bindings are kept; it goes on as {now!r}, with an empty mailbox.\n"
    )


def linked_text(ended: Sequence[tuple[object, str | None]]) -> str:
    """Return one line for the processes that ended with the shell's process, each with its name; "" for none."""
    if not ended:
        return ""
    said = ", ".join(f"{pid!r} ({name})" if name else repr(pid) for pid, name in ended[:_NAMED])
    more = f" and {len(ended) - _NAMED} more" if len(ended) > _NAMED else ""
    return (
        f"Ended with the shell's process, to which they were linked: {said}{more}. "
        "unlink(pid) lets a process outlive an input that fails.\n"
    )
