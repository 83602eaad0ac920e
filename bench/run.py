"""Runs peers x workloads interleaved and prints medians and ratios as Markdown.

    python bench/run.py [--peers a,b] [--workloads spawn,call] [--repeats 3] [--ratio-to asyncio_q]

Installs nothing (`make bench` does); a peer whose library is missing leaves a gap that says so.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

PEERS_DIR = Path(__file__).parent / "peers"
sys.path.insert(0, str(PEERS_DIR))
from common import TAG, tagged  # noqa: E402

PEERS = "midflight_rt asyncio_q uvloop_q gevent_q trio_chan pykka_thread erlang_otp limit_coro".split()
TIMEOUT_SECONDS = 180
LARGE = dict.fromkeys(PEERS, 100_000)
PLAN: dict[str, dict[str, int]] = {  # workload: {peer: n}; Pykka's actors are threads
    "spawn": LARGE | {"pykka_thread": 5_000},
    "memory": LARGE | {"pykka_thread": 3_000},
    "pingpong": dict.fromkeys(PEERS, 200_000) | {"pykka_thread": 30_000},
    "ring": dict.fromkeys(PEERS, 1_000_000) | {"pykka_thread": 30_000},
    "fanin": dict.fromkeys(PEERS, 1_000_000),
    "call": LARGE | {"pykka_thread": 20_000},
    "skynet": LARGE | {"pykka_thread": 1_000},
    "selective": {"erlang_otp": 10_000, "midflight_rt": 10_000},
    "timers": dict.fromkeys(set(PEERS) - {"pykka_thread", "limit_coro"}, 100_000),
    "hot": {"erlang_otp": 10_000, "midflight_rt": 10_000},
    "load": {"erlang_otp": 50, "midflight_rt": 50},
}


def run(peer: str, workload: str, n: int) -> dict[str, object]:
    """Run one peer in a process of its own and return its line; with "skipped" where it has none."""
    with subprocess.Popen(
        [sys.executable, f"{peer}.py", workload, str(n)],
        cwd=PEERS_DIR,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            out = process.communicate(timeout=TIMEOUT_SECONDS)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            out = ""
        for pid in tagged(process.pid):  # what the peer left behind; the tag is its pid
            os.kill(pid, signal.SIGKILL)
    lines = [line for line in out.splitlines() if line.startswith('{"peer"')]
    if lines:
        return json.loads(lines[-1])
    return {"peer": peer, "workload": workload, "n": n, "skipped": f"failed, or over {TIMEOUT_SECONDS} s"}


def table(workload: str, lines: dict[str, list[dict[str, object]]], reference: str) -> None:
    """Print one workload's medians, best first, and how many times `reference`'s each is."""
    field, unit = ("bytes_per_process", "bytes/process") if workload == "memory" else ("ops_per_s", "ops/s")
    values = {peer: [line[field] for line in got if field in line] for peer, got in lines.items()}
    medians = {peer: statistics.median(each) for peer, each in values.items() if each}
    base = medians.get(reference)
    print(f"\n### {workload}\n\n| peer | n | {unit} median | min .. max | x {reference} | peak MB |")
    print("|---|--:|--:|--:|--:|--:|")
    for peer, value in sorted(medians.items(), key=lambda item: item[1], reverse=workload != "memory"):
        ratio = f"{value / base:.3g}" if base else ""
        peak = statistics.median(line["peak_rss_mb"] for line in lines[peer])
        spread = f"{min(values[peer]):,.4g} .. {max(values[peer]):,.4g}"
        print(f"| {peer} | {lines[peer][0]['n']:,} | {value:,.4g} | {spread} | {ratio} | {peak:,.0f} |")
    for peer in lines.keys() - medians.keys():
        print(f"| {peer} | | skipped: {lines[peer][0]['skipped']} | | | |")


def main() -> None:
    """Measure, with progress on standard error, and print one table a workload."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--peers", default=",".join(PEERS))
    options.add_argument("--workloads", default=",".join(PLAN))
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--ratio-to", default="asyncio_q")
    options.add_argument("--raw", default=os.devnull, help="also append every JSON line to this file")
    arguments = options.parse_args()
    os.environ.pop(TAG, None)
    results: dict[str, dict[str, list[dict[str, object]]]] = defaultdict(lambda: defaultdict(list))
    with open(arguments.raw, "a") as raw:
        for repeat in range(arguments.repeats):
            for workload in arguments.workloads.split(","):
                for peer in (peer for peer in arguments.peers.split(",") if peer in PLAN[workload]):
                    print(f"\r{repeat + 1}/{arguments.repeats} {workload:10} {peer:14}", end="", file=sys.stderr)
                    line = run(peer, workload, PLAN[workload][peer])
                    if line.get("skipped") != "no such workload":
                        results[workload][peer].append(line)
                    print(json.dumps(line), file=raw, flush=True)
    print(file=sys.stderr)
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, medians of {arguments.repeats}.")
    for workload, lines in results.items():
        table(workload, lines, arguments.ratio_to)


if __name__ == "__main__":
    main()
