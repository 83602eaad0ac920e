"""Functions, classes and applications that others hold: how those come to run the current version."""

__all__: list[str] = []
