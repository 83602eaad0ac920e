"""Upgrades: new code and the changed states of live servers together, or nothing."""

__all__: list[str] = []
