"""Runs peers x workloads interleaved and prints each result at once, then medians and ratios as Markdown.

    python bench/run.py [--peers a,b] [--workloads spawn,call] [--rounds 3] [--ratio-to asyncio_q]
    python bench/run.py --rounds 0                 # only the tables, of what is kept
    python bench/run.py --rounds 3 --anew --write docs/performance.md --picture docs/images/performance.svg

Every result is kept in a file (`--keep`) as soon as it is there, and later runs add to it: a run that is cut short
loses nothing, prints its tables, and can be gone on with. Installs nothing (`make bench` does); a peer that is not
there leaves a gap that says so.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path

PEERS_DIR = Path(__file__).parent / "peers"
sys.path[:0] = [str(PEERS_DIR), str(PEERS_DIR.parent)]
from chart import chart, said_when, write_between  # noqa: E402
from common import TAG, tagged  # noqa: E402  its folder had to be on the path first
from results import Result, Results, field_of  # noqa: E402

KEPT = Path(__file__).parents[1] / "build" / "bench" / "results.jsonl"
TIMEOUT_SECONDS = 180
# The peers, each with its file and what is set in its environment.
PEERS: dict[str, tuple[str, dict[str, str]]] = {
    "midflight_python": ("midflight_rt", {"MIDFLIGHT_KERNEL": "python"}),
    "midflight_compiled": ("midflight_rt", {"MIDFLIGHT_KERNEL": "compiled"}),
    **{name: (name, {}) for name in "asyncio_q uvloop_q gevent_q trio_chan pykka_thread erlang_otp limit_coro".split()},
}
OURS_AND_OTP = ("midflight_python", "midflight_compiled", "erlang_otp")
LARGE = dict.fromkeys(PEERS, 100_000)
PLAN: dict[str, dict[str, int]] = {  # workload: {peer: n}; Pykka's actors are threads
    "spawn": LARGE | {"pykka_thread": 5_000},
    "memory": LARGE | {"pykka_thread": 3_000},
    "pingpong": dict.fromkeys(PEERS, 200_000) | {"pykka_thread": 30_000},
    "ring": dict.fromkeys(PEERS, 1_000_000) | {"pykka_thread": 30_000},
    "fanin": dict.fromkeys(PEERS, 1_000_000),
    "call": LARGE | {"pykka_thread": 20_000},
    "clients": LARGE | {"pykka_thread": 10_000},
    "skynet": LARGE | {"pykka_thread": 1_000},
    "storm": dict.fromkeys(OURS_AND_OTP, 10_000),
    "selective": dict.fromkeys(OURS_AND_OTP, 10_000),
    "timers": {peer: 100_000 for peer in PEERS if peer not in ("pykka_thread", "limit_coro")},
    "hot": dict.fromkeys(OURS_AND_OTP, 10_000),
    "load": dict.fromkeys(OURS_AND_OTP, 50),
}
SMALLEST = 1_000  # of an n that is scaled down: some workloads divide theirs by the number of their processes


def run(peer: str, workload: str, n: int) -> Result:
    """Run one peer in a process of its own and return its line; with "skipped" where it has none."""
    file, environment = PEERS[peer]
    with subprocess.Popen(
        [sys.executable, f"{file}.py", workload, str(n)],
        cwd=PEERS_DIR,
        env=os.environ | environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        out = problem = ""
        try:
            out, problem = process.communicate(timeout=TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            problem = f"not done after {TIMEOUT_SECONDS} s"
        finally:  # also of a Ctrl-C
            process.kill()
            for pid in tagged(process.pid):  # what the peer left behind; the tag is its pid
                os.kill(pid, signal.SIGKILL)
    lines = [line for line in out.splitlines() if line.startswith('{"peer"')]
    if lines:
        return json.loads(lines[-1]) | {"peer": peer}
    why = (problem.splitlines() or [f"exit code {process.returncode}"])[-1]
    return {"peer": peer, "workload": workload, "n": n, "skipped": f"failed: {why}"}


def scaled(workload: str, n: int, scale: float) -> int:
    """Return `n` times `scale`, for skynet the power of ten below that: the tree has ten branches everywhere."""
    found = max(round(n * scale), min(n, SMALLEST))
    return 10 ** (len(str(found)) - 1) if workload == "skynet" else found


def said(result: Result) -> str:
    """Return one result as a line for the terminal."""
    field = field_of(result["workload"])
    value = f"{result[field]:>14,.0f} {field}" if field in result else f"skipped: {result['skipped']}"
    return f"{result['workload']:10} {result['peer']:20} {value}"


def measure(options: argparse.Namespace, results: Results) -> None:
    """Take the rounds, print and keep each result, and add it to `results`."""
    options.keep.parent.mkdir(parents=True, exist_ok=True)
    with options.keep.open("a", encoding="utf-8") as file:
        for number in range(1, options.rounds + 1):
            began = round(time.time(), 3)
            print(f"round {number} of {options.rounds}, {time.strftime('%H:%M')}, load {os.getloadavg()[0]:.1f}")
            for workload in options.workloads.split(","):
                for peer in (peer for peer in options.peers.split(",") if peer in PLAN[workload]):
                    result = run(peer, workload, scaled(workload, PLAN[workload][peer], options.scale))
                    result |= {"round": began, "load": round(os.getloadavg()[0], 2)}
                    results.add(result)
                    print(json.dumps(result), file=file, flush=True)
                    print(said(result), flush=True)


def main() -> None:
    """Measure, and print one table a workload and one of all ratios; the tables also if it is cut short."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--workloads", default=",".join(PLAN))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1, help="times n: 0.01 only shows that all of it works")
    parser.add_argument("--ratio-to", default="asyncio_q")
    parser.add_argument("--keep", type=Path, default=KEPT, help="the file of results, added to: %(default)s")
    parser.add_argument("--write", type=Path, help="the page to write the ratios of all into, between its marks")
    parser.add_argument("--picture", type=Path, help="the SVG to draw the ratios in")
    parser.add_argument("--anew", action="store_true", help="forget what the file has kept")
    options = parser.parse_args()
    os.environ.pop(TAG, None)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if options.anew:
        options.keep.unlink(missing_ok=True)
    results = Results.kept(options.keep)
    was_cut_short = False
    try:
        measure(options, results)
    except KeyboardInterrupt:
        was_cut_short = True
    print(f"\nPython {platform.python_version()}, {os.cpu_count()} cores, medians of {results.rounds()} rounds.")
    for workload in results.by_workload:
        print("\n" + results.table(workload, options.ratio_to))
    summaries = [results.summary(PEERS, reference) for reference in dict.fromkeys((options.ratio_to, "erlang_otp"))]
    print("", *summaries, sep="\n\n")
    if options.write:
        python = f"Python {platform.python_version()}, {os.cpu_count()} cores, one scheduler of Erlang/OTP."
        parts = [f"{python} {said_when(results)}", *summaries]
        if options.picture:
            link = Path(os.path.relpath(options.picture, options.write.parent)).as_posix()
            parts.append(f"![Operations a second, next to those of the others]({link})")
        write_between(options.write, "\n\n".join(parts))
    if options.picture:
        options.picture.write_text(chart(results, options.ratio_to, [each for each in PLAN if each != "memory"]))
    if was_cut_short:
        sys.exit(130)


if __name__ == "__main__":
    main()
