"""Keeps a connection. What changes: the factory, which must not be asked again."""
from midflight.code import once

__persist__ = ["cache"]

conn = once("conn", lambda: ["made by 2"])
cache: list[str] = ["filled by 2"]
fresh = ["made by 2"]
