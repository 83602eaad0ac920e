"""The commands that load code, or say what a load would do: load, upgrade, rollback, check, move, forward, recover."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from midflight.cli.choices import EXIT_CODES
from midflight.cli.ending import error_of
from midflight.cli.everywhere import load_everywhere
from midflight.cli.show import ask, ask_for_load, show
from midflight.cli.upgrade_plan import is_plan, make_plan, plan_of
from midflight.cli.wording import in_options
from midflight.errors import NotFound, RemoteError, RequestError

__all__ = ["check", "forward", "load", "move", "recover", "rollback", "upgrade"]


def load(options: argparse.Namespace) -> int:
    if options.all and options.connect:
        raise RequestError("--all is for the servers here, and --connect for one elsewhere; nothing was loaded.")
    if options.all:
        return load_everywhere(options)
    paths = [os.path.abspath(file) for file in options.files]
    _require(paths, "loaded")
    if options.dry_run:
        return _preview(options, paths)
    switches = _switches(options, "force", "two_versions", "move", "forward")
    is_one = len(paths) == 1 and not os.path.isdir(paths[0])
    if (options.thread and not is_one) or (options.fresh and options.modified):
        raise RequestError("--thread is for one file, and --fresh for files; nothing was loaded. Name the file.")
    special = {name: value for name in ("fresh", "thread") if (value := getattr(options, name))}
    if options.modified:
        return _show_load(options, ask_for_load(options, "code/load-modified", switches))
    given = {**(switches or {}), **special} or None
    if is_one:
        return _show_load(options, ask_for_load(options, "code/load", paths[0], None, given, near=paths[0]))
    paths = [path + os.sep if os.path.isdir(path) else path for path in paths]
    return _show_load(options, ask_for_load(options, "code/load-many", paths, given, near=paths[0]))


def _preview(options: argparse.Namespace, paths: list[str]) -> int:
    """Show what a load of each file would do; change nothing."""
    if not paths or any(map(os.path.isdir, paths)):
        raise RequestError("--dry-run shows loads of files; nothing was loaded. Name the files.")
    options.holders = 0
    reports = [ask_for_load(options, "code/preview", path, None, near=path) for path in paths]
    texts = [f"{in_options(each['text']).rstrip()}\n\n{each['diff']}".rstrip() for each in reports]
    return _show_checks(options, reports, texts)


def check(options: argparse.Namespace) -> int:
    """Compile files and check their texts; run and change nothing."""
    paths = [os.path.abspath(file) for file in options.files]
    _require(paths, "checked")
    reports = [ask(options, "code/check", path, None, near=path) for path in paths]
    return _show_checks(options, reports, [in_options(each["text"]).rstrip() for each in reports])


def _show_checks(options: argparse.Namespace, reports: list[dict[str, Any]], texts: list[str]) -> int:
    """Show reports of what would happen; of one file as JSON the report alone."""
    data: object = reports[0] if len(reports) == 1 else {"reports": reports}
    show(options, data, lambda: "\n\n".join(texts))
    return EXIT_CODES["refused"] if any(each["status"] == "failed" for each in reports) else 0


def _require(paths: list[str], done: str) -> None:
    for path in paths:
        if not os.path.exists(path):
            raise NotFound(f"{path} does not exist; nothing was {done}. Check the name.")


def rollback(options: argparse.Namespace) -> int:
    switches = _switches(options, "force", "move")
    return _show_load(options, ask_for_load(options, "code/rollback", options.module, options.version, switches))


def _switches(options: argparse.Namespace, *names: str) -> dict[str, bool] | None:
    return {name: True for name in names if getattr(options, name)} or None


def upgrade(options: argparse.Namespace) -> int:
    modules = [os.path.abspath(each) if _is_file(each) else each for each in options.modules]
    if options.plan is not None:
        return _show_load(options, make_plan(options, modules, next(filter(os.path.isabs, modules), ".")))
    if not modules or (len(modules) == 1 and is_plan(modules[0])):
        return _follow(options, modules[0] if modules else None)
    chosen = {name: getattr(options, name) for name in ("force", "dry_run", "extra", "to", "timeout")}
    chosen = {name: value for name, value in chosen.items() if value is not None and value is not False}
    near = next((each for each in modules if os.path.isabs(each)), ".")
    if len(modules) == 1:
        report = ask_for_load(options, "code/upgrade", modules[0], None, chosen or None, near=near)
    elif "to" in chosen:
        raise RequestError("--to takes one module back, not several; nothing was done. Upgrade each alone.")
    else:
        report = ask_for_load(options, "code/upgrade-many", modules, chosen or None, near=near)
    return _show_load(options, report)


def _follow(options: argparse.Namespace, name: str | None) -> int:
    """Do the steps of a plan; after one that is refused none is done. A dry run is of all of them together."""
    if options.to is not None or options.extra is not None:
        raise RequestError("--to and --extra are not for a plan, whose steps say that; nothing was done")
    steps = plan_of(options, name)
    chosen: dict[str, Any] = {} if options.timeout is None else {"timeout": options.timeout}
    chosen |= {"force": True} if options.force else {}
    if options.dry_run:
        together = [each for step in steps for each in step["paths"]]
        extra = {} if steps[0].get("extra") is None else {"extra": steps[0]["extra"]}
        report = ask_for_load(options, "code/upgrade-many", together, {**chosen, **extra, "dry_run": True})
        return _show_load(options, report)
    done: list[dict[str, Any]] = []
    for step in steps:
        extra = {} if step.get("extra") is None else {"extra": step["extra"]}
        try:
            report = ask_for_load(options, "code/upgrade-many", step["paths"], {**chosen, **extra} or None)
        except RemoteError as error:
            if done:
                words = f"Step {len(done) + 1} of {len(steps)}: {error} The steps before it are done."
                raise RemoteError(words, error.kind) from None
            raise
        if report["status"] == "failed":
            words = f"Step {len(done) + 1} of {len(steps)} was refused; the steps before it are done.\n"
            said = words if len(steps) > 1 else ""
            return _show_load(options, {**report, "summary": said + report["summary"], "text": said + report["text"]})
        done.append(report)
    reports = [each for report in done for each in report["reports"]]
    return _show_load(options, {**done[0], "reports": reports, "text": "\n".join(each["text"] for each in done)})


def _is_file(module: str) -> bool:
    return module.endswith((".py", ".json")) or os.sep in module


def move(options: argparse.Namespace) -> int:
    report = ask(options, "code/move", options.module)
    show(options, report, lambda: report["text"])
    return 1 if report["not_moved"] else 0


def _show_load(options: argparse.Namespace, report: dict[str, Any]) -> int:
    if report["status"] != "failed":
        return show(
            options, report, lambda: "\n".join([in_options(report["text"]).rstrip("\n"), *_holders_lines(report)])
        )
    error = error_of("broken-off" if options.is_broken_off else "refused", in_options(report["summary"]))
    if options.json:
        show(options, {**report, "error": error}, str)
    else:
        print(in_options(report["text"]).rstrip("\n"), file=sys.stderr)
    return EXIT_CODES[str(error["kind"])]


def _holders_lines(report: dict[str, Any]) -> list[str]:
    """Return the lines on who holds functions of older versions, with what makes those current."""
    lines = []
    for each in report.get("reports") or [report]:
        if "holders" not in each:
            continue
        found = each["holders"]
        said = ["Not known yet: the search goes on. --holders SECONDS waits longer."]
        if found is not None:
            said = found["text"].splitlines() or ["Nobody: they have let go of them."]
        lines += ["", f"Who holds functions of older versions of {each['module']}", *(f"  {line}" for line in said)]
        if found is None or found["holders"]:
            lines.append(f"  To have them call the current version: midflight forward {each['module']}")
    return lines


def forward(options: argparse.Namespace) -> int:
    report = ask(options, "code/forward", options.module)
    left = [f"  {each['name']}, v{each['version']}: {each['reason']}" for each in report["not_forwarded"] or []]
    show(options, report, lambda: "\n".join([report["summary"], *left]))
    return 1 if left else 0


def recover(options: argparse.Namespace) -> int:
    found = ask(options, "code/recover", options.module, options.name)
    return show(options, found, lambda: f"{options.module}.{options.name} is {found['value']} again.")
