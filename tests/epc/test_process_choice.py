"""The list of processes by a choice of its rows: filters, an order, a limit; and how many an answer has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from helpers.epc_peer import DEADLINE_SECONDS
from helpers.servers_of_nodes import forget_module, load
from midflight.epc import RemoteServer
from midflight.errors import RemoteError

TALLY = """
from midflight import receive, trap_exit
async def start():
    return loop(0)
async def loop(total):
    match await receive():
        case ("add", n):
            return loop(total + n)
        case ("fail", why):
            raise ValueError(why)
        case message:
            return loop(total)
"""


@pytest.fixture(autouse=True)
def modules() -> Iterator[None]:
    """Take the module that a test loads away again."""
    yield
    forget_module("tally")


def all_rows(client: RemoteServer, **choice: object) -> tuple[list[list[Any]], list[dict[str, Any]]]:
    """Ask for the rows of a choice until there are no more; return them in the order they came, and the answers."""
    known: dict[str, object] = {}
    rows: dict[str, list[Any]] = {}
    answers: list[dict[str, Any]] = []
    while not answers or answers[-1]["more"]:
        answer = dict(client.call("process/changes", known | choice, timeout_seconds=DEADLINE_SECONDS))
        known = {"watch": answer["watch"], "stamp": answer["stamp"]}
        for pid in answer["gone"] or ():
            rows.pop(pid, None)
        rows |= {row[0]: row for row in answer["rows"] or ()}
        answers.append(answer)
    return list(rows.values()), answers


def test_asker_says_how_many_rows_an_answer_has(node: Any, client: RemoteServer, shell: Any) -> None:
    """So that whoever draws them has time for other things in between."""
    load(client, node.root, "tally", TALLY)
    shell("[spawn(tally.start) for _ in range(500)][0]")

    rows, answers = all_rows(client, most=200)

    assert [len(answer["rows"]) for answer in answers[:2]] == [200, 200]
    assert len(rows) == answers[-1]["total"] == len(node.scheduler.processes)
    assert answers[0]["more"] is True


def test_limit_is_of_the_oldest_or_the_youngest(node: Any, client: RemoteServer, shell: Any) -> None:
    """When one of those ends, the next comes in; `total` counts all."""
    load(client, node.root, "tally", TALLY)
    shell("tallies = [spawn(tally.start) for _ in range(50)]")
    pids = [f"<0.{number}.0>" for number in node.scheduler.processes]

    oldest, answers = all_rows(client, limit=5)
    youngest, _ = all_rows(client, limit=5, sort=["pid", True])

    assert [row[0] for row in oldest] == pids[:5]
    assert [row[0] for row in youngest] == pids[:-6:-1]
    assert answers[-1]["total"] == len(pids)


def test_one_that_ends_makes_room_in_a_limited_list(node: Any, client: RemoteServer, shell: Any) -> None:
    """It is told as gone, and the next one as a row."""
    load(client, node.root, "tally", TALLY)
    shell("tallies = [spawn(tally.start) for _ in range(50)]")
    first = client.call("process/changes", {"limit": 10, "sort": ["pid", True]})
    kept = [row[0] for row in first["rows"]]

    shell("exit(tallies[-1], 'kill')")
    known = {"watch": first["watch"], "stamp": first["stamp"], "limit": 10, "sort": ["pid", True]}
    answer = client.call("process/changes", known)

    assert kept[0] in answer["gone"]
    number = int(kept[-1][3:-3]) - 1
    assert f"<0.{number}.0>" in [row[0] for row in answer["rows"]]


def test_filters_choose_among_all(node: Any, client: RemoteServer, shell: Any) -> None:
    """By module, by a part of the name in any case, by a part of the line; together."""
    load(client, node.root, "tally", TALLY)
    shell("[spawn(tally.start, name=f'Apple_{n}') for n in range(20)][0]")
    shell("async def deaf(): await receive('never')\n[spawn(deaf, name=f'pear_{n}') for n in range(5)]\n")
    shell("await sleep(0)")

    def names(*filters: list[str]) -> set[str]:
        rows, answers = all_rows(client, filters=list(filters), limit=3)
        assert len(rows) == min(3, answers[-1]["matching"])
        rows, answers = all_rows(client, filters=list(filters))
        assert answers[-1]["matching"] == len(rows)
        return {row[1] for row in rows}

    assert names(["module", "tally"]) == {f"Apple_{n}" for n in range(20)}
    assert names(["module", "tall"]) == set()
    assert names(["name", "aPPle_1"]) == {"Apple_1", *(f"Apple_{n}" for n in range(10, 20))}
    assert names(["text", "DEAF"]) == {f"pear_{n}" for n in range(5)}
    assert names(["text", "loop"], ["name", "_7"]) == {"Apple_7"}


def test_another_choice_on_the_same_list_tells_the_difference(node: Any, client: RemoteServer, shell: Any) -> None:
    """Those that it leaves out are gone; those that were chosen before are not told again."""
    load(client, node.root, "tally", TALLY)
    shell("[spawn(tally.start, name=f'tally_{n}') for n in range(40)][0]")
    told = client.call("process/changes", {"limit": 1000})

    known = {"watch": told["watch"], "stamp": told["stamp"], "filters": [["name", "tally_3"]]}
    filtered = client.call("process/changes", known)
    known = {"watch": told["watch"], "stamp": filtered["stamp"], "limit": 1000}
    again = client.call("process/changes", known)

    assert filtered["matching"] == 11
    assert len(filtered["gone"]) == len(told["rows"]) - 11
    assert not any(str(row[1]).startswith("tally_") for row in filtered["rows"] or ())
    assert not again["all"]
    assert {*filtered["gone"]} <= {row[0] for row in again["rows"]}


def test_choice_that_leaves_most_out_begins_anew(node: Any, client: RemoteServer, shell: Any) -> None:
    """That is shorter than to name all those who are gone; the current versions are told again, too."""
    load(client, node.root, "tally", TALLY)
    shell("[spawn(tally.start, name=f'tally_{n}') for n in range(40)][0]")
    told = client.call("process/changes", {"limit": 1000})

    known = {"watch": told["watch"], "stamp": told["stamp"], "filters": [["name", "tally_3"]], "most": 20}
    filtered = client.call("process/changes", known)

    assert (filtered["all"], filtered["matching"], filtered["current"]) == (True, 11, [["tally", 1]])
    assert {row[1] for row in filtered["rows"]} == {"tally_3", *(f"tally_{n}" for n in range(30, 40))}


def test_order_chooses_the_first_of_all(node: Any, client: RemoteServer, shell: Any) -> None:
    """The longest mailboxes of many; those in old code before all others, or alone."""
    load(client, node.root, "tally", TALLY)
    shell("async def deaf(): await receive('never')\n[spawn(deaf, name=f'deaf_{n}') for n in range(30)]\n")
    shell("for n in range(30): [send(f'deaf_{n}', 1) for _ in range(n)]\n")
    shell("spawn(tally.start, name='old')")
    shell("await sleep(0)")
    load(client, node.root, "tally", "# moved\n" + TALLY)
    shell("spawn(tally.start, name='new')")
    shell("await sleep(0)")

    longest, _ = all_rows(client, limit=3, sort=["messages", True])
    first, _ = all_rows(client, limit=2, old="first", sort=["name", None])
    only, answers = all_rows(client, old="only")

    assert [row[1] for row in longest] == ["deaf_29", "deaf_28", "deaf_27"]
    assert [row[1] for row in first] == ["old", "deaf_0"]
    assert [row[1] for row in only] == ["old"]
    assert answers[-1]["matching"] == 1


def test_how_many_match_is_known_as_long_as_the_choice_stays(node: Any, client: RemoteServer, shell: Any) -> None:
    """Also when nothing has changed that the list shows."""
    load(client, node.root, "tally", TALLY)
    shell("[spawn(tally.start, name=f'tally_{n}') for n in range(40)][0]")
    choice = {"filters": [["name", "tally_1"]]}
    _, answers = all_rows(client, **choice)
    answer = answers[-1]

    for text in ("whereis('tally_2') << ('add', 1)", "1", "exit(whereis('tally_10'), 'kill')"):
        shell(text)
        answer = client.call("process/changes", {"watch": answer["watch"], "stamp": answer["stamp"], **choice})
        assert answer.get("unchanged") or answer["matching"] == 10 + ("10" not in text)


def test_load_changes_who_is_in_old_code(node: Any, client: RemoteServer, shell: Any) -> None:
    """Though no process has taken a step."""
    load(client, node.root, "tally", TALLY)
    shell("spawn(tally.start, name='one')")
    shell("await sleep(0)")
    rows, answers = all_rows(client, old="only")
    known = {"watch": answers[-1]["watch"], "stamp": answers[-1]["stamp"], "old": "only"}

    load(client, node.root, "tally", "# moved\n" + TALLY)
    answer = client.call("process/changes", known)

    assert rows == []
    assert [row[1] for row in answer["rows"]] == ["one"]


def test_many_are_looked_at_in_parts(node: Any, client: RemoteServer, shell: Any) -> None:
    """No answer takes long: those that only look have no rows, and `matching` is not known."""
    load(client, node.root, "tally", TALLY)
    shell("[spawn(tally.start, name=None if n else 'first') for n in range(11_000)][0]")

    rows, answers = all_rows(client, filters=[["name", "first"]], most=200)

    assert [row[1] for row in rows] == ["first"]
    assert [answer["matching"] for answer in answers] == [None, None, 1]
    assert not any(answer["rows"] for answer in answers[:2])


@pytest.mark.parametrize(
    "known",
    [
        {"most": 0},
        {"limit": "ten"},
        {"filters": [["color", "red"]]},
        {"filters": "red"},
        {"filters": [["name", 7]]},
        {"old": "never"},
        {"sort": ["size"]},
        {"sort": "name"},
        {"order": 1},
    ],
)
def test_choice_that_is_none_is_refused(client: RemoteServer, known: dict[str, object]) -> None:
    """The error says which forms there are."""
    with pytest.raises(RemoteError, match=r"nothing was done\. Send"):
        client.call("process/changes", known)
