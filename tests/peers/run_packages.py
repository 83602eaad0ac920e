"""Load packages that nobody here wrote, module by module, then run their own tests; print what differs.

    .venv/bin/python tests/peers/run_packages.py
    .venv/bin/python tests/peers/run_packages.py --only h11,click --orders import,together

Each module is loaded as it is, with a comment, and with a docstring edited: in import order, at random, all together.
Exit status 1 for a load that is refused, and for a test that passes plain, fails after the loads, and is not excused.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from peers.environment import PEERS, ROOT
from peers.packages.listed import PACKAGES
from peers.packages.runs import ORDERS, Suite, run_suite
from peers.packages.table import details, faults, table


def environment(python: str) -> Path:
    """Make the environment of the packages for `python`, or bring it up to date; return its interpreter."""
    program = "import platform; print(platform.python_version())"
    version = subprocess.run([python, "-c", program], check=True, capture_output=True, text=True).stdout.strip()
    folder = PEERS / f"packages-{version}"
    own = folder / "bin" / "python"
    if not own.exists():
        subprocess.run([python, "-m", "venv", str(folder)], check=True)
    pip = (sys.executable, "-m", "pip", "--python", str(own), "install", "-q", "--disable-pip-version-check")
    subprocess.run([*pip, "--group", f"{ROOT / 'pyproject.toml'}:packages", "-e", str(ROOT)], check=True)
    return own


def main() -> int:
    """Run all; return 1 for a fault."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--only", default="", help="names of packages, with commas")
    parser.add_argument("--orders", default=",".join(ORDERS))
    parser.add_argument("--seed", type=int, default=1, help="of the random order")
    options = parser.parse_args()
    python = environment(options.python)
    only = set(filter(None, options.only.split(",")))
    suites: list[Suite] = []
    for package in PACKAGES:
        if not only or package.name in only:
            suites.append(run_suite(python, package, tuple(options.orders.split(",")), options.seed))
            print(f"{table(suites[-1:]).splitlines()[-1]}", file=sys.stderr, flush=True)
    print(table(suites))
    print(details(suites))
    found = faults(suites)
    print("\n".join(found) if found else "No fault.")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
