"""Functions, classes and applications that others hold, and their way to the current version."""

__all__: list[str] = []
