"""The hooks of `pip install`: the kernel is compiled where a C compiler is, elisp taken along, the README made whole.

Without a C compiler the wheel is pure Python. The address of the public repository is the publisher's to say:
MIDFLIGHT_URL=https://... python -m build. Without one the package has no addresses.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

sys.path.insert(0, str(Path(__file__).parent / "scripts"))
from build_kernel import NotBuilt, build  # its folder had to be on the path first
from package_texts import addresses, elisp_of, with_addresses


class ProjectAddress(MetadataHookInterface):  # type: ignore[misc]  # as below
    """Gives the package its README, and the addresses of the project if there are any."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Fill the fields that pyproject.toml calls dynamic."""
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        url = os.environ.get("MIDFLIGHT_URL")
        if url:
            metadata["urls"] = dict(addresses(url))
            text = with_addresses(text, url)
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


class CompiledKernel(BuildHookInterface):  # type: ignore[type-arg,misc]  # hatchling is there only while it builds
    """Puts the extension module into the wheel, which is then one for this Python and this kind of machine."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile into the checkout. An editable install finds it there, and the elisp."""
        if version != "editable":
            build_data["force_include"].update(elisp_of(Path(self.root)))
        try:
            extension = build(Path(self.root))
        except NotBuilt as reason:
            self.app.display_warning(f"The compiled kernel was not built: {reason}. The kernel in Python serves.")
            return
        if version != "editable":
            build_data["artifacts"].append(f"/{extension.relative_to(self.root).as_posix()}")
            build_data["pure_python"] = False
            build_data["infer_tag"] = True
