"""docs/erlang.md says what the tests show: no case without a test, no test without its word, nothing out of date."""

from __future__ import annotations

from collections import Counter

import pytest

from erlang.cases import CASES, SUFFIXES, all_cases
from erlang.table import PAGE, Twin, all_twins, page


def test_every_case_has_one_python_side() -> None:
    """One test a case, named after it."""
    assert Counter(twin.case for twin in all_twins()) == Counter(case.name for case in all_cases())


def test_every_source_has_what_erlang_prints() -> None:
    """A source without .expected would be no case, and nobody would miss it."""
    sources = {path.stem for path in CASES.iterdir() if path.suffix in SUFFIXES} - {"t"}
    answers = {path.stem for path in CASES.glob("*.expected")}

    assert sources == answers


@pytest.mark.parametrize("twin", all_twins(), ids=lambda twin: twin.case)
def test_a_case_is_the_same_or_differs_for_a_reason(twin: Twin) -> None:
    """One mark, something to say, and what is called the same holds no line against Erlang's."""
    assert twin.marks in (("same",), ("differs",))
    assert twin.says
    assert not (twin.marks == ("same",) and twin.has_differences)


def test_the_page_is_up_to_date() -> None:
    """Else: scripts/erlang-table."""
    assert PAGE.read_text(encoding="utf-8") == page(all_cases(), all_twins()), "run scripts/erlang-table"
