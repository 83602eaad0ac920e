"""The hook of `pip install` that compiles the kernel where a C compiler is; without one the wheel is pure Python."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent / "scripts"))
from build_kernel import NotBuilt, build  # its folder had to be on the path first


class CompiledKernel(BuildHookInterface):  # type: ignore[type-arg,misc]  # hatchling is there only while it builds
    """Puts the extension module into the wheel, which is then one for this Python and this kind of machine."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile into the checkout. An editable install finds it there."""
        try:
            extension = build(Path(self.root))
        except NotBuilt as reason:
            self.app.display_warning(f"The compiled kernel was not built: {reason}. The kernel in Python serves.")
            return
        if version != "editable":
            build_data["artifacts"].append(f"/{extension.relative_to(self.root).as_posix()}")
            build_data["pure_python"] = False
            build_data["infer_tag"] = True
