"""`Gone`: an object that was kept, whose class is in no module any more. Its fields are all there."""

from __future__ import annotations

from midflight.code.identity.fields import fields_of
from midflight.text import short

__all__ = ["Gone"]


class Gone:
    """An object, read from a store, whose class the program has no more: `midflight.code.Gone`.

    It has the fields that the object had, and is of a class with the module and the name that its class had. It is
    kept as it is, and is an object of its class again when a version of the program has that.
    """

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={short(value)}" for name, value in fields_of(self).items())
        return f"<gone {type(self).__module__}.{type(self).__qualname__}{' ' if fields else ''}{fields}>"
