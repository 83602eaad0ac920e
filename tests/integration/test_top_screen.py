"""`midflight top` on Textual, on a screen in memory and in a real terminal, with a real server."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import signal
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.server_process import DEADLINE_SECONDS, MIDFLIGHT, Program
from helpers.terminal import Terminal
from helpers.tmux import Tmux
from midflight.epc import RemoteServer

pytest.importorskip("textual", reason="Textual is the extra `terminal`")

from textual.pilot import Pilot
from textual.widgets import DataTable, Log, Static

from midflight.cli.top_feed import Feed
from midflight.cli.top_screen import TopApp

SHOP = """\
from midflight import GenServer, Supervisor, ChildSpec, receive


class Till(GenServer):
    def init(self):
        self.total = 40

    def handle_cast(self, message):
        self.total += message


async def deaf():
    await receive(int)
    return deaf()


async def start():
    children = [ChildSpec("till", Till, ()), ChildSpec("deaf", deaf)]
    return await Supervisor.start_link(children)
"""

BEGIN = """\
top_of_shop = await shop.start()
till = await shop.Till.start(name="till")
deaf = spawn(shop.deaf, name="deaf")
victim = spawn(shop.deaf, name="victim")
_ = [deaf << "unheard" for _ in range(7)]
"""

NEVER = 1000.0  # seconds between two looks: the tests press space

Story = Callable[[TopApp, Pilot[int]], Coroutine[Any, Any, None]]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RemoteServer]:
    """A connection to a server with a till, a process that hears no text, and a supervisor."""
    folder = tmp_path_factory.mktemp("top")
    project = folder / "project"
    project.mkdir()
    (project / "pyproject.toml").touch()
    with pytest.MonkeyPatch.context() as patch, Program("serve", runtime=folder / "runtime", cwd=project) as program:
        patch.setenv("MIDFLIGHT_RUNTIME_DIR", str(folder / "runtime"))
        program.port()
        path = project / "shop.py"
        path.write_text(SHOP)
        with RemoteServer.attach(project) as client:
            client.call("code/load", str(path), None, None)
            session = client.call("shell/open")["session"]
            for line in BEGIN.splitlines():
                answer = client.call("shell/eval", session, line)
                assert answer["status"] == "ok", answer
            yield client


@pytest.fixture
def place(shop: RemoteServer) -> Path:
    """The root of the project of that server."""
    return Path(shop.info["root"])


@pytest.fixture
def variables(shop: RemoteServer) -> dict[str, str]:
    """The environment of a program that is to find that server, as far as it is the test's own."""
    return {name: os.environ[name] for name in ("MIDFLIGHT_RUNTIME_DIR",)}


@pytest.fixture
def play(place: Path) -> Callable[..., None]:
    """A function that plays a story on a screen in memory, of `size`, when the first look has been drawn."""

    def run(story: Story, size: tuple[int, int] = (110, 30)) -> None:
        async def playing() -> None:
            with Feed(argparse.Namespace(command="top", root=str(place), server=None)) as feed:
                app = TopApp(feed, "reductions", NEVER)
                async with app.run_test(size=size) as pilot:
                    await settled(app, pilot)
                    await story(app, pilot)

        asyncio.run(playing())

    return run


async def settled(app: TopApp, pilot: Pilot[int]) -> None:
    """Wait until all that was asked is answered and drawn."""
    await app.workers.wait_for_complete()
    await pilot.pause()


def rows(app: TopApp) -> list[list[str]]:
    """Return the cells of the list as text."""
    table = app.query_one(DataTable)
    return [[str(cell) for cell in table.get_row_at(number)] for number in range(table.row_count)]


def names(app: TopApp) -> list[str]:
    """Return the column of names, without its indentation."""
    return [row[1].strip() for row in rows(app)]


def text(app: TopApp, selector: str) -> str:
    """Return the text of a part of the screen that is shown."""
    return str(app.screen.query_one(selector, Static).render())


async def to_row(app: TopApp, pilot: Pilot[int], name: str) -> None:
    """Put the cursor on the process with that name."""
    app.query_one(DataTable).move_cursor(row=names(app).index(name))
    await pilot.pause()


def test_it_sorts_by_each_column(play: Callable[..., None]) -> None:
    """A key for each of them; `i` turns the order round."""

    async def story(app: TopApp, pilot: Pilot[int]) -> None:
        await pilot.press("m")
        assert rows(app)[0][1:3] == ["deaf", "7"]
        await pilot.press("i")
        assert rows(app)[-1][1:3] == ["deaf", "7"]
        await pilot.press("i", "n")
        assert [name for name in names(app) if name in ("deaf", "till")] == ["deaf", "till"]
        await pilot.press("p")
        numbers = [int(row[0].split(".")[1]) for row in rows(app)]
        assert numbers == sorted(numbers)
        assert "by pid" in text(app, "#about")

    play(story)


def test_it_shows_growth_since_the_last_look(play: Callable[..., None], shop: RemoteServer) -> None:
    """Messages that nobody takes are a rate, and the memory and the loop's lag stand above."""

    async def story(app: TopApp, pilot: Pilot[int]) -> None:
        await pilot.press("g")
        assert {row[3] for row in rows(app)} == {"0"}
        await asyncio.to_thread(shop.call, "process/send", "deaf", "'more'")
        await pilot.press("space")
        await settled(app, pilot)
        assert rows(app)[0][1:3] == ["deaf", "8"]
        assert rows(app)[0][3].startswith("+")
        assert re.search(r"asyncio tasks, loop lag .*ms, [\d.]+ [MG]B$", text(app, "#about"))

    play(story)


def test_it_filters_while_one_types(play: Callable[..., None]) -> None:
    """Escape shows all again."""

    async def story(app: TopApp, pilot: Pilot[int]) -> None:
        everyone = len(rows(app))
        await pilot.press("slash", *"till")
        assert [name for name in names(app) if name != "-"] == ["till"]
        assert all("till" in " ".join(row).casefold() for row in rows(app))
        await pilot.press("enter", "escape")
        assert len(rows(app)) == everyone
        assert app.query_one(DataTable).has_focus

    play(story)


def test_it_shows_the_tree(play: Callable[..., None]) -> None:
    """The children of a supervisor stand below it, further in."""

    async def story(app: TopApp, pilot: Pilot[int]) -> None:
        await pilot.press("t")
        await settled(app, pilot)
        found = rows(app)
        (place,) = (number for number, row in enumerate(found) if "Supervisor" in row[-1])
        indent = len(found[place][1]) - len(found[place][1].lstrip())
        for below in found[place + 1 : place + 3]:
            assert below[1].startswith(" " * (indent + 2))

    play(story)


def test_a_process_is_killed_only_if_somebody_says_yes(play: Callable[..., None], shop: RemoteServer) -> None:
    """`k` asks; the process is gone from the next look on."""

    async def story(app: TopApp, pilot: Pilot[int]) -> None:
        await to_row(app, pilot, "victim")
        await pilot.press("k")
        assert "victim the exit signal kill?" in text(app, "#question")
        await pilot.press("n", "space")
        await settled(app, pilot)
        assert "victim" in names(app)
        await to_row(app, pilot, "victim")
        await pilot.press("k", "y")
        await settled(app, pilot)
        await settled(app, pilot)
        assert "victim" not in names(app)

    play(story)


def test_enter_shows_the_state_of_one(play: Callable[..., None]) -> None:
    """With what it holds in memory; escape goes back."""

    async def story(app: TopApp, pilot: Pilot[int]) -> None:
        await to_row(app, pilot, "till")
        await pilot.press("enter")
        await settled(app, pilot)
        shown = text(app, "#details")
        assert "State of Till:\n  total = 40" in shown
        assert re.search(r"^holds [\d.]+ k?B in \d+ objects$", shown, re.MULTILINE)
        await pilot.press("k")
        assert "State of Till" in text(app, "#details"), "the keys of the list act on what nobody sees"
        await pilot.press("escape")
        assert app.query_one(DataTable).has_focus

    play(story)


def test_a_trace_shows_what_a_process_does(play: Callable[..., None], shop: RemoteServer) -> None:
    """Line by line while it happens; it ends with its screen."""

    async def story(app: TopApp, pilot: Pilot[int]) -> None:
        await to_row(app, pilot, "till")
        await pilot.press("e")
        await settled(app, pilot)
        told = asyncio.Event()
        log, loop, on_lines = app.screen.query_one(Log), asyncio.get_running_loop(), app.feed.on_lines
        app.feed.on_lines = lambda lines: (on_lines(lines), loop.call_soon_threadsafe(told.set))
        await asyncio.to_thread(shop.call, "process/send", "till", "('seen', 1)")
        await asyncio.wait_for(told.wait(), DEADLINE_SECONDS)
        await pilot.pause()
        assert "<- " in log.lines[0]
        assert "('seen', 1)" in log.lines[0]
        await pilot.press("escape")

    play(story)


def test_all_that_matters_fits_into_sixty_columns(play: Callable[..., None]) -> None:
    """Pid, name, messages, growth and rate of each process, and the keys."""

    async def story(app: TopApp, pilot: Pilot[int]) -> None:
        await pilot.press("m")
        table = app.query_one(DataTable)
        assert sum(column.get_render_width(table) for column in table.ordered_columns[:5]) <= 60
        shown = app.export_screenshot()
        for word in ("deaf", "GROW/S", "Quit", "Sort", "Filter", "State", "Kill"):
            assert word in shown, word

    play(story, size=(60, 20))


def test_in_a_terminal_it_leaves_with_0_and_gives_the_screen_back(place: Path, variables: dict[str, str]) -> None:
    """As people see it: the list, a state, a filter, and q."""
    script = ["sh", "-c", f"{' '.join(MIDFLIGHT)} top; echo ended with $?; exec cat"]
    with Tmux(script, place, variables, columns=60, lines=20) as tmux:
        tmux.wait_text("reductions/s")
        tmux.wait_text("till")
        tmux.type("/till")
        tmux.press("Enter")
        tmux.wait("one row", lambda seen: "till" in seen.screen() and "deaf" not in seen.screen())
        tmux.press("Enter")
        tmux.wait_text("total = 40")
        tmux.press("Escape")
        tmux.wait_text("GROW/S")
        tmux.type("q")
        tmux.wait_text("ended with 0")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_gives_the_screen_back(
    place: Path, variables: dict[str, str], tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """With the exit code of a program that the signal ended."""
    terminal = Terminal(place, Path(variables["MIDFLIGHT_RUNTIME_DIR"]), tmp_path / "state", *MIDFLIGHT, "top")
    try:
        terminal.see(r"\x1b\[\?1049h")
        terminal.see("till")
        terminal.process.send_signal(number)
        terminal.see(r"\x1b\[\?1049l")
        assert terminal.exit_code() == code
    finally:
        terminal.close()


def test_the_end_of_the_server_ends_it(start: Callable[..., Program], project: Path, runtime_dir: Path) -> None:
    """Exit code 5, and a word on it."""
    start("serve").port()
    script = ["sh", "-c", f"{' '.join(MIDFLIGHT)} top; echo ended with $?; exec cat"]
    variables = {"MIDFLIGHT_RUNTIME_DIR": str(runtime_dir)}
    with Tmux(script, project, variables, columns=80, lines=20) as tmux, RemoteServer.attach(project) as client:
        tmux.wait_text("reductions/s")
        client.submit("server/stop")
        tmux.wait_text("ended with 5")
        assert "The server has gone, and top ended with it." in tmux.screen()
