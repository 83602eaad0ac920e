"""The identity of classes across versions, and objects that change class."""

__all__: list[str] = []
