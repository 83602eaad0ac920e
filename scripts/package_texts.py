"""The parts of the package that differ from the checkout: a README with whole addresses, and the elisp."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

__all__ = ["addresses", "elisp_of", "with_addresses"]

PICTURES = (".svg", ".png")
ELISP = "midflight/editors/emacs"
"""The folder of the elisp in the wheel."""


def addresses(url: str) -> Mapping[str, str]:
    """Return the addresses of the project that PyPI shows, from that of its public repository."""
    url = url.rstrip("/")
    return {
        "Homepage": url,
        "Documentation": f"{url}/blob/main/docs/README.md",
        "Changelog": f"{url}/blob/main/CHANGELOG.md",
        "Issues": f"{url}/issues",
    }


def with_addresses(text: str, url: str) -> str:
    """Return a page whose links to files of the checkout lead to the repository: PyPI knows no other files."""
    url = url.rstrip("/")

    def whole(match: re.Match[str]) -> str:
        target = match[1]
        if re.match(r"[a-z]+:|#|/", target):
            return match[0]
        return f"]({url}/{'raw' if target.endswith(PICTURES) else 'blob'}/main/{target})"

    return re.sub(r"\]\(([^)\s]+)\)", whole, text)


def elisp_of(root: Path) -> Mapping[str, str]:
    """Return the elisp of the checkout, each file with its place in the wheel."""
    return {str(path): f"{ELISP}/{path.name}" for path in sorted((root / "elisp").glob("*.el"))}
