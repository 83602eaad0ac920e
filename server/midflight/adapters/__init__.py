"""Adapters for libraries that keep functions and objects of a module: one file a library, loaded when that is imported.

Each has what `midflight.code.Adapter` says. A library of your own names its adapter in the entry point group
`midflight.adapters`.
"""

__all__: list[str] = []
