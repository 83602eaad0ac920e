"""The kind of an error, by which a program tells a refusal from what is not there, late, or failed on the way.

The other end hears it behind the text, if it has asked for it:

    (return-error 5 "'till' is neither a pid nor a registered name; ..." "not-found")
"""

from __future__ import annotations

from midflight.errors import MidflightError, RequestFailed

__all__ = ["FAILED", "kind_of"]

FAILED = "failed"


def kind_of(error: BaseException) -> str:
    """Return "not-found", "timed-out", "refused", which changed nothing, or "failed", which may have.

    "not-restored" comes from a server's end alone: states were refused, and their servers not started.
    """
    match error:
        case MidflightError() if isinstance(kind := getattr(error, "kind", None), str):
            return kind
        case RequestFailed():
            return FAILED
        case LookupError():
            return "not-found"
        case TimeoutError():
            return "timed-out"
        case MidflightError():
            return "refused"
        case _:
            return FAILED
