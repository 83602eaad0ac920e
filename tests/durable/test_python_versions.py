"""A store goes from one version of Python to another, and back. Runs for each version that is found here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyflakes
import pytest

SERVER = Path(__file__).parents[2] / "server"
SHOP = """
import asyncio, collections, datetime, decimal, enum, pathlib, sys, uuid
from dataclasses import dataclass
from typing import NamedTuple
from midflight import GenServer, Runtime, call

class Colour(enum.Enum):
    RED = 1

class Access(enum.Flag):
    READ = 1
    WRITE = 2

@dataclass(frozen=True, slots=True)
class Price:
    pence: int

class Point(NamedTuple):
    x: int
    y: int

class Basket(list):
    pass

class Lost(Exception):
    pass

def values():
    return {
        "objects": [Price(5), Point(1, 2), Basket([1]), Colour.RED, Access.READ | Access.WRITE],
        "plain": [1, 2.5, "text", b"bytes", None, {1: {2, 3}}, (1,), frozenset({4}), 1 << 200],
        "library": [
            datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.timezone.utc), decimal.Decimal("1.10"),
            pathlib.PurePosixPath("/srv/shop"), pathlib.Path("shop"), uuid.UUID(int=7),
            collections.deque([1, 2], maxlen=3), collections.Counter("aab"), collections.OrderedDict(a=1),
        ],
    }

class Till(GenServer):
    durable = "sync"

    def init(self):
        self.pythons = []
        self.values = values()
        self.lost = Lost("where?")
        self.function = values

    def handle_call(self, version, client):
        assert self.values == values(), self.values
        assert [type(each) for each in self.values["objects"]] == [type(each) for each in values()["objects"]]
        assert (type(self.lost), self.lost.args, self.function) == (Lost, ("where?",), values)
        self.pythons.append(version)
        return self.pythons

async def sell():
    till = await Till.start(name="till")
    print(*await call(till, f"{sys.version_info[0]}.{sys.version_info[1]}"))

async def main(store):
    async with Runtime(store=store) as runtime:
        await runtime.run(sell)
"""
FIND = "import sys; print(sys.executable, *sys.version_info[:2])"
HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"


def python_of(version: str) -> str:
    """Return the path of a Python of that version; skips the test if there is none."""
    names = [shutil.which(f"python{version}"), *sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))]
    for each in filter(None, names):  # a version manager's name may refuse to start
        found = subprocess.run([each, "-c", FIND], capture_output=True, text=True, check=False)
        if found.stdout.split()[1:] == version.split("."):
            return found.stdout.split()[0]
    pytest.skip(f"there is no Python {version} here")


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_a_store_goes_to_another_python_and_back(tmp_path, version):
    """The state is equal, whatever class its values are of."""
    if version == HERE:
        pytest.skip(f"this is Python {version}")
    other = python_of(version)
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "pyflakes").symlink_to(Path(pyflakes.__file__).parent)  # which the other one may not have
    environment = os.environ | {"PYTHONPATH": f"{SERVER}{os.pathsep}{tmp_path}"}

    said = []
    for python in (sys.executable, other, sys.executable):
        command = [python, "-c", "import asyncio, shop; asyncio.run(shop.main('state.sqlite'))"]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment, timeout=120
        )
        assert done.returncode == 0, done.stderr
        said.append(done.stdout.split())

    assert said[-1] == [HERE, version, HERE]
