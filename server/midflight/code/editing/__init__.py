"""For editors: preview, check, define, compare, processes at a line."""

__all__: list[str] = []
