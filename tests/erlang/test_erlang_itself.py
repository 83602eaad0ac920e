"""The Erlang side: each case run on the installed Erlang prints what was recorded of it.

So what the Python side is held to is what a real Erlang does, and not what somebody remembered of it.
"""

from __future__ import annotations

import pytest

from erlang.cases import Case, all_cases
from erlang.node import NoErlang, installed_erl, otp_release, run_all

RECORDED_ON = "25"  # the OTP release of the .expected files


@pytest.fixture(scope="session")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str] | NoErlang:
    """Return what each case prints on the installed Erlang, all of them run once; NoErlang if there is none."""
    try:
        return run_all(all_cases(), tmp_path_factory.mktemp("erlang"))
    except NoErlang as missing:  # it is the tests that fail of it
        return missing


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.name)
def test_erlang_still_does_what_was_recorded(printed: dict[str, str] | NoErlang, case: Case) -> None:
    """The recorded answer is Erlang's own."""
    if isinstance(printed, NoErlang):
        pytest.fail(str(printed), pytrace=False)
    assert case.name in printed, "the node ended before this case began; see those before it"

    if printed[case.name] != case.expected:
        release = otp_release(installed_erl())
        hint = "" if release == RECORDED_ON else f"recorded on OTP {RECORDED_ON}, and this is OTP {release}"
        assert printed[case.name] == case.expected, hint


def test_without_erlang_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without Erlang is told of it; nothing is skipped."""
    monkeypatch.setenv("PATH", "")

    with pytest.raises(NoErlang, match=r"no `erl` on PATH.*`make setup`"):
        run_all(all_cases(), None)  # type: ignore[arg-type]  # it looks for erl before anything else
