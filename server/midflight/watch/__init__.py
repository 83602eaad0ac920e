"""Files that people save: seen as they change, and loaded by the server that runs their modules."""

from midflight.watch.saved import watch

__all__ = ["watch"]
