"""Keeps a connection. What changes: the factory, which must not be asked again."""
from midflight.code import once

__persist__ = ["cache"]

conn = once("conn", lambda: ["made by 1"])
cache: list[str] = ["filled by 1"]
fresh = ["made by 1"]
