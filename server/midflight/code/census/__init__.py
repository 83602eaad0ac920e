"""The census: which process runs which version, and what keeps an old version in memory."""

__all__: list[str] = []
