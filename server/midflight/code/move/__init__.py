"""Moving idle processes to the current version."""

__all__: list[str] = []
