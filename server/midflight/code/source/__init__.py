"""Source text: from a path to a syntax tree, definitions, bindings, lines. Runs no code."""

__all__: list[str] = []
