"""How the site shows a docstring: plain text with single backticks becomes reStructuredText with no other markup."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from architecture.sources import ROOT


@pytest.fixture(scope="module")
def docstrings() -> Any:
    """The module of docs/site, which is no package."""
    spec = importlib.util.spec_from_file_location("site_docstrings", ROOT / "docs/site/docstrings.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Return `value` as it is.", "Return ``value``\\  as it is.\n"),
        ("Takes *args and a_name|other.", "Takes \\*args and a\\_name\\|other.\n"),
        ("Do it.\n\nRaises: TypeError if\nit cannot.", "Do it.\n\n**Raises:** TypeError if it cannot.\n"),
        ("Raises: X. OTP: link/1.", "**Raises:** X.\n\n**OTP:** link/1.\n"),
        ("`a`: one;\n    more.\n`b`: two.", "* ``a``\\ : one; more.\n\n* ``b``\\ : two.\n"),
        ("`a` is one,\nand two.", "``a``\\  is one, and two.\n"),
        ("- one\n- two", "* one\n\n* two\n"),
        ("    a = 1\n\n    b = 2", ".. code-block:: python\n\n    a = 1\n\n    b = 2\n"),
        ("    (return 4 ...", ".. code-block:: none\n\n    (return 4 ...\n"),
    ],
)
def test_plain_text_stays_what_it_says(docstrings: Any, text: str, shown: str) -> None:
    """Code, fields, lists of names and examples are seen; stars, bars and underscores mean nothing."""
    assert docstrings.as_rst(text) == shown
