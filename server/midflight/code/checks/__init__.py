"""Checks before a load: each finds one kind of fault in a new version."""

__all__: list[str] = []
