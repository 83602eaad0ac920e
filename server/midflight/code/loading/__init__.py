"""Loads under way: their modules, how a load is broken off, and the fate of a body that never ends."""

__all__: list[str] = []
