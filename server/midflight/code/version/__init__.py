"""Versions of a module: the facade, the namespaces behind it, the texts they were made of."""

__all__: list[str] = []
