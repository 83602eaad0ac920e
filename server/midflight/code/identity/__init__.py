"""Classes and objects that stay the same across versions, and those that change class."""

__all__: list[str] = []
