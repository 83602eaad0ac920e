"""Loading: prepare, check, commit; and the verbs that load, drop and roll back."""

__all__: list[str] = []
