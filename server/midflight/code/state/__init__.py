"""Module state that outlives a load: base, now and new, merged item by item."""

__all__: list[str] = []
