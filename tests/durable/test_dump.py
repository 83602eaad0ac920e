"""States as text: they go into another store and are the same there; what is not a whole dump of ours is refused."""

from __future__ import annotations

import json
import pickle
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from midflight import call
from midflight.durable import Shelf, Store
from midflight.durable.dump import digest_of, rows_in
from midflight.durable.store_error import StoreError
from midflight.errors import NotFound, RequestError

NAMES = ("till", "a/b", "a\0b", "ü\ud800", "n" * 5000)


@pytest.fixture
def till(project):
    """Load version 1 of the till and give its module."""
    project.load("till_v1")
    return sys.modules["till"]


async def sold(till, amount):
    """Start a till of each name and add an amount; return the sums."""
    return [await call(await till.Till.start(name=name), ("add", amount)) for name in NAMES]


@pytest.fixture
def dump(till, lives):
    """A dump of five tills that have 5 each."""
    lives.run(sold, till, 5)
    return list(Shelf(lives.path).dump())


def test_what_was_dumped_goes_on_in_another_store(till, lives, dump, tmp_path):
    """Whatever their names; the store is made if there is none."""
    elsewhere = type(lives)(tmp_path / "elsewhere.sqlite")
    loaded = Shelf(elsewhere.path, may_be_new=True).load(dump)

    assert sorted(each.name for each in loaded) == sorted(NAMES)
    assert elsewhere.path.stat().st_mode & 0o777 == 0o600
    assert elsewhere.run(sold, till, 2) == [7] * 5


def test_a_dump_is_read_without_a_module_of_the_project(dump):
    """Each line is JSON that says what is in the state."""
    head, first, *_, end = map(json.loads, dump)

    assert (head["midflight"], head["format"], end) == ("states", 1, {"end": 5})
    assert first["attributes"] == {"total": "5", "begun": "'init'"}
    assert (first["module"], first["class"], first["python"]) == ("till", "Till", sys.version.split()[0])


def test_a_state_that_was_there_goes_into_the_history(till, lives, dump):
    """Nothing is thrown away."""
    lives.run(sold, till, 100)
    loaded = Shelf(lives.path).load(dump)

    (aside,) = [each.aside for each in loaded if each.name == "till"]
    assert Shelf(lives.path).attributes("till", aside)["total"] == 105
    assert Shelf(lives.path).history("till")[0].why == "a dump was loaded"
    assert lives.run(sold, till, 1) == [6] * 5


def test_one_state_is_dumped_by_its_name(lives, dump):
    """And a name that has none is said."""
    assert len(list(Shelf(lives.path).dump("till"))) == 3
    with pytest.raises(NotFound, match="nobody has no state"):
        list(Shelf(lives.path).dump("nobody"))


def test_a_store_that_is_in_use_takes_no_dump(lives, dump):
    """Its servers would write over what was loaded; to read is allowed."""
    store = Store(lives.path)
    with pytest.raises(StoreError, match="is used by another runtime"):
        Shelf(lives.path).load(dump)

    assert list(Shelf(lives.path).dump())[1:] == dump[1:]
    store.close()


def edited(dump, number, **fields):
    found = json.loads(dump[number]) | fields
    return [*dump[:number], json.dumps(found), *dump[number + 1 :]]


def without(dump, number, name):
    found = json.loads(dump[number])
    del found[name]
    return [*dump[:number], json.dumps(found), *dump[number + 1 :]]


REFUSED = {
    "empty": (lambda dump: [], "it is empty, not a dump of states"),
    "text": (lambda dump: ["my notes"], "it is not a dump of states"),
    "other JSON": (lambda dump: ["[1, 2]"], "it is not a dump of states"),
    "an object": (lambda dump: ['{"a": 1}'], "it is not a dump of states"),
    "too new": (lambda dump: edited(dump, 0, format=2), "has format 2, and this Midflight knows 1"),
    "cut off": (lambda dump: dump[:-1], "is cut off: it has 5 states"),
    "one is missing": (lambda dump: [*dump[:2], *dump[3:]], "is cut off: it has 4 states"),
    "half a line": (lambda dump: [*dump[:2], dump[2][:40]], "line 3 of the dump is not JSON"),
    "twice": (lambda dump: [*dump[:2], *dump[1:]], "line 3 of the dump has the state of .* a second time"),
    "after the end": (lambda dump: [*dump, dump[1]], "line 8 of the dump comes after the end"),
    "another name": (lambda dump: edited(dump, 1, name="tall"), "line 2 of the dump was edited or damaged"),
    "attributes": (lambda dump: edited(dump, 1, attributes={"total": "9"}), "line 2 of the dump was edited or damaged"),
    "type": (lambda dump: edited(dump, 1, state=5), "line 2 of the dump has a value of a wrong type"),
    "more": (lambda dump: edited(dump, 1, more=5), "line 2 of the dump is not that of a state"),
    "less": (lambda dump: without(dump, 1, "vsn"), "line 2 of the dump is not that of a state"),
    "deep": (lambda dump: [dump[0], "[" * 100_000], "line 2 of the dump is not JSON"),
}


@pytest.mark.parametrize(("change", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_a_whole_dump_is_refused(lives, dump, tmp_path, change, said):
    """With the line and the fault; no store is made for it, and none is changed."""
    with pytest.raises(RequestError, match=said):
        Shelf(tmp_path / "none.sqlite", may_be_new=True).load(change(dump))

    assert not (tmp_path / "none.sqlite").exists()


class Bomb:
    """Goes off when it is unpickled."""

    def __reduce__(self):
        return Path.touch, (Path("went-off"),)


def test_nothing_is_unpickled_by_a_load(lives, dump, tmp_path, monkeypatch):
    """A state is run by its server, if that is started: a dump is code, as a store is."""
    monkeypatch.chdir(tmp_path)
    with closing(sqlite3.connect(lives.path)) as connection:
        connection.execute("UPDATE servers SET state = ?", (pickle.dumps(Bomb()),))
        connection.commit()
    bombs = list(Shelf(lives.path).dump("till"))
    (tmp_path / "went-off").unlink()  # to show what is in it is to read it
    Shelf(tmp_path / "new.sqlite", may_be_new=True).load(bombs)

    assert not (tmp_path / "went-off").exists()
    with pytest.raises(RequestError, match="has a damaged state"):
        rows_in(_signed(bombs, "AAAA"))


def _signed(dump, state):
    found = json.loads(dump[1]) | {"state": state}
    return [dump[0], json.dumps(found | {"digest": digest_of(found)}), *dump[2:]]
