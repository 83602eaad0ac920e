"""The programs of docs/durable.md run as the page says."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.command_line import Shell
from helpers.lives import Lives
from helpers.server_process import Program
from helpers.servers import settle
from helpers.versions import project_in
from midflight import call

PAGE = (Path(__file__).parents[2] / "docs" / "durable.md").read_text("utf-8")
FIRST, SECOND, OUTBOX = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
(CONFIGURED,) = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
ANSWERS = re.findall(r"^\$ midflight call till (\d+)\n(\d+)$", PAGE, re.MULTILINE)


def test_the_ten_minutes(start: Callable[..., Program], project: Path, run: Shell) -> None:
    """Kill -9, and a new version whose state has another shape: the sums are those of the page."""
    (project / "pyproject.toml").write_text(CONFIGURED)
    for number, (text, (amount, answer)) in enumerate(zip((FIRST, FIRST, SECOND), ANSWERS, strict=True)):
        (project / "shop.py").write_text(text)
        server = start("serve")
        server.line_with("The till goes on with" if number else "runs as")
        assert run("call", "till", amount).strip() == answer
        server.process.kill()
        server.process.wait()

    assert ANSWERS == [("3", "3"), ("4", "7"), ("1", "8")]


@pytest.mark.parametrize("is_lost", [True, False], ids=["before it came", "after it came"])
def test_the_outbox_loses_no_message(tmp_path: Path, is_lost: bool) -> None:
    """The receiver is down, or up, when the power goes; then it has each order once."""
    lives = Lives(tmp_path / "state.sqlite")
    with project_in(tmp_path) as project:
        project.load_text("post", OUTBOX)
        post = sys.modules["post"]

        async def first() -> int:
            if not is_lost:
                await post.Receiver.start(name="receiver")
            number = await call(await post.Sender.start(name="sender"), "tea")
            await settle()
            lives.runtime.scheduler.states.store.writer.do(lambda _: None).result(timeout=30)
            lives.lose_power()
            return number

        async def later() -> list[str]:
            await post.Receiver.start(name="receiver")
            await post.Sender.start(name="sender")
            for _ in range(3):
                await settle()
                lives_after.clock.advance(1.0)
            await settle()
            return await call("receiver", "orders")

        assert lives.run(first) == 1
        lives_after = lives.after_power_cut()
        assert lives_after.run(later) == ["tea"]
        lives_after.close()
