"""The benchmark that compares Midflight with other runtimes: bench/run.py, its peers, and bench/results.py."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

BENCH = Path(__file__).parents[2] / "bench"
SVG = "{http://www.w3.org/2000/svg}"
SECONDS = 120  # by which a run must be over that takes a few

sys.path.insert(0, str(BENCH))
import run  # noqa: E402  its folder had to be on the path first
from chart import COLOURS, chart, write_between  # noqa: E402
from results import Result, Results  # noqa: E402


def command(kept: Path, *options: str) -> list[str]:
    """Return the command of a benchmark that keeps its results in `kept`."""
    return [sys.executable, str(BENCH / "run.py"), "--keep", str(kept), *options]


def result(peer: str, ops_per_s: float, began: float, workload: str = "ring") -> Result:
    """Return one result."""
    return {"peer": peer, "workload": workload, "n": 1, "ops_per_s": ops_per_s, "peak_rss_mb": 1.0, "round": began}


def test_every_workload_of_midflight_runs(tmp_path: Path) -> None:
    """Each gives a figure, in a process of its own, at the smallest size."""
    kept = tmp_path / "kept.jsonl"
    line = command(kept, "--peers", "midflight_python", "--rounds", "1", "--scale", "0")

    done = subprocess.run(line, capture_output=True, text=True, timeout=SECONDS, check=False)

    results = [json.loads(each) for each in kept.read_text().splitlines()]
    assert [each for each in results if "skipped" in each] == []
    assert len({each["workload"] for each in results}) == len(results) == 13
    assert done.returncode == 0, done.stderr


def test_a_run_that_is_cut_short_prints_and_keeps_what_it_has(tmp_path: Path) -> None:
    """A result is printed and kept as soon as it is there; the tables come at every end."""
    kept = tmp_path / "folder" / "kept.jsonl"
    line = command(kept, "--peers", "limit_coro", "--workloads", "ring", "--rounds", "1000", "--scale", "0")
    with subprocess.Popen(line, text=True, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        head = [process.stdout.readline() for _ in range(2)]  # the round, and its result

        process.send_signal(signal.SIGTERM)
        rest = process.communicate(timeout=SECONDS)[0]

    assert head[0].startswith("round 1 of 1000")
    assert head[1].startswith("ring       limit_coro")
    assert "| limit_coro | 1,000 |" in rest
    assert process.returncode == 130
    first = json.loads(kept.read_text().splitlines()[0])
    assert f"{first['ops_per_s']:,.0f}" in head[1]


def test_a_peer_that_ends_without_a_result_is_skipped_with_its_last_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """So the table says why there is a gap, and the others are measured."""
    monkeypatch.setitem(run.PEERS, "broken", ("no_such_file", {}))

    found = run.run("broken", "ring", 1)

    assert found["skipped"].startswith("failed: ")
    assert "No such file" in found["skipped"]


def test_a_tree_of_tens_stays_one() -> None:
    """With another number of leaves the skynet would never end."""
    assert [run.scaled("skynet", 100_000, scale) for scale in (0, 0.01, 0.5, 1)] == [1000, 1000, 10_000, 100_000]
    assert run.scaled("ring", 1_000_000, 0.5) == 500_000


def test_a_ratio_is_taken_within_each_round() -> None:
    """The machine was three times slower in the second round: the ratio is the same."""
    results = Results(
        [
            result("a", 60.0, began=1),
            result("b", 30.0, began=1),
            result("a", 20.0, began=2),
            result("b", 10.0, began=2),
            result("a", 1000.0, began=3),  # cut short: b was not measured
        ]
    )

    assert results.ratio("ring", "a", "b") == 2.0
    assert results.ratio("ring", "a", "nobody") is None


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    """The run was killed while it wrote it."""
    kept = tmp_path / "kept.jsonl"
    kept.write_text(json.dumps(result("a", 60.0, began=1)) + "\n" + '{"peer": "a", "work')

    assert Results.kept(kept).values("ring", "a") == [60.0]


@pytest.mark.parametrize("workload", ["ring", "memory"])
def test_the_best_comes_first(workload: str) -> None:
    """Of memory less is better."""
    field = "bytes_per_process" if workload == "memory" else "ops_per_s"
    lines = [result(peer, 0, began=1, workload=workload) | {field: value} for peer, value in (("a", 1), ("b", 2))]

    rows = Results(lines).table(workload, "a").splitlines()[2:]

    assert [row.split(" | ")[0] for row in rows] == (["| a", "| b"] if workload == "memory" else ["| b", "| a"])


def test_a_picture_has_a_bar_for_each_peer_that_was_measured() -> None:
    """As long as the ratio says; a peer that was not measured has none."""
    results = Results([result("midflight_compiled", 200.0, 1.0), result("asyncio_q", 20.0, 1.0)])

    root = ElementTree.fromstring(chart(results, "asyncio_q", ["ring", "spawn"]))

    bars = {each[0].text: float(each.attrib["width"]) for each in root.iter(f"{SVG}rect") if len(each)}
    assert list(bars) == ["ring, midflight_compiled: 10", "ring, asyncio_q: 1"]
    assert bars["ring, midflight_compiled: 10"] > 100 * bars["ring, asyncio_q: 1"]
    assert [each.text for each in root.iter(f"{SVG}text") if each.text in ("ring", "spawn", *COLOURS)] == [
        *COLOURS,
        "ring",
    ]


def test_a_run_writes_its_ratios_into_a_page_and_a_picture(tmp_path: Path) -> None:
    """Between the marks of the page; the rest of it stays."""
    kept, page, picture = tmp_path / "kept.jsonl", tmp_path / "page.md", tmp_path / "picture.svg"
    page.write_text("# Page\n\n<!-- measured -->\nold\n<!-- end of measured -->\n\nMore.\n")
    both = [{**result(peer, 9.0, 1.0), "load": 2.5} for peer in ("midflight_compiled", "asyncio_q")]
    kept.write_text("".join(json.dumps(each) + "\n" for each in both))
    line = command(kept, "--rounds", "0", "--write", str(page), "--picture", str(picture))

    subprocess.run(line, capture_output=True, timeout=SECONDS, check=True)

    text = page.read_text()
    assert "| ring | 1.00 | 1.00 |" in text
    assert "in 1 rounds, at a load of 2.5 to 2.5." in text
    assert "old" not in text
    assert text.startswith("# Page\n\n<!-- measured -->\nPython 3.")
    assert text.endswith("\n<!-- end of measured -->\n\nMore.\n")
    assert "ring, midflight_compiled: 1" in picture.read_text()


def test_a_page_without_marks_stays_as_it_is(tmp_path: Path) -> None:
    """Nothing says where the figures belong."""
    page = tmp_path / "page.md"
    page.write_text("# Page\n")

    with pytest.raises(ValueError, match=r"has no lines <!-- measured --> and .*it stays as it is"):
        write_between(page, "figures")

    assert page.read_text() == "# Page\n"
