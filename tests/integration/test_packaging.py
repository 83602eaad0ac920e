"""The parts of the package that differ from the checkout, and its elisp. `make package` builds and tries all of it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.command_line import Shell
from helpers.emacs import PROGRAM

sys.path.append(str(Path(__file__).parents[2] / "scripts"))
from package_texts import addresses, elisp_of, with_addresses

ROOT = Path(__file__).parents[2]
URL = "https://example.org/midflight"


def test_no_link_of_the_readme_leads_nowhere_on_pypi() -> None:
    """Files of the checkout are named by whole addresses; others and places on the page stay."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")

    found = re.findall(r"\]\(([^)\s]+)\)", with_addresses(text, URL + "/"))

    assert [link for link in found if not re.match(r"https?://|#", link)] == []
    assert f"{URL}/blob/main/docs/terminal.md" in found
    assert f"{URL}/raw/main/docs/images/tutorial.svg" in found


@pytest.mark.parametrize(
    "link", ["](https://example.com/a.md)", "](#how-it-works)", "](mailto:a@example.com)", "[a] (b)"]
)
def test_other_links_stay(link: str) -> None:
    """They lead somewhere from anywhere."""
    assert with_addresses(link, URL) == link


def test_each_address_names_a_file_that_there_is() -> None:
    """Those that lead into the repository."""
    for address in addresses(URL).values():
        path = address.partition("/blob/main/")[2]
        assert (ROOT / path).exists(), address


def test_the_wheel_has_all_elisp() -> None:
    """And nothing that was compiled."""
    found = {Path(place).name for place in elisp_of(ROOT).values()}

    assert found == {path.name for path in (ROOT / "elisp").glob("*.el")}


def test_emacs_takes_the_lines_that_are_printed_for_it(run: Shell, tmp_path: Path) -> None:
    """The mode is on in a Python buffer then."""
    init = tmp_path / "init.el"
    init.write_text(run("emacs", "--init"))
    ask = '(with-temp-buffer (python-mode) (message "mode: %s" midflight-mode))'

    said = subprocess.run(
        [PROGRAM, "-Q", "--batch", "-l", str(init), "--eval", ask],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert "mode: t" in said.stderr
    assert (Path(run("emacs").strip()) / "midflight.el").exists()
