"""Reports of loads, upgrades and moves: plain data, and the words for people."""

__all__: list[str] = []
