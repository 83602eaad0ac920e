"""Loads under way: which has which modules, how one is broken off, and what becomes of a body that never ends."""

__all__: list[str] = []
