"""S-expressions without frames: what is read as what, the limits, and what is written."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable

import pytest
import sexpdata

from midflight.epc.sexp import ATOM_CHARACTERS, DEPTH_LIMIT, ITEMS_LIMIT, Symbol, read, write
from midflight.epc.wire import PAYLOAD_LIMIT, decode, encode
from midflight.errors import WireError

ESCAPES = r'"\" \\ \n \t \r \f \b \a \v \e \d \s \x41\ B \u00e9 \U0001F600 \101 \351 \q"'

VALUES = {
    "a string": ('"λ"', "λ"),
    "a string of two lines": ('"a\nb"', "a\nb"),
    "escapes": (ESCAPES, '" \\ \n \t \r \f \b \a \v \x1b \x7f   AB é 😀 A é q'),
    "an escaped end of line": ('"a\\\nb"', "ab"),
    "a backslash before an n": (r'"\\n \\\" \\\\n"', '\\n \\" \\\\n'),
    "a string with properties": ('#("abc" 0 3 (face bold))', "abc"),
    "integers": ("(0 -1 +2 3. 4611686018427387904)", [0, -1, 2, 3, 4611686018427387904]),
    "floats": ("(1.5 -.5 1e3 2.5E-3 1.0e+100)", [1.5, -0.5, 1000.0, 0.0025, 1e100]),
    "words for numbers": ("(nan inf infinity 1_000 0x10 -)", ["nan", "inf", "infinity", "1_000", "0x10", "-"]),
    "a version": ("1.5.2", "1.5.2"),
    "digits of other scripts": ("(١٢)", ["١٢"]),
    "an escaped number": (r"(\12)", ["12"]),
    "symbols": (r"(a :b a\ b \(c\) ##)", ["a", ":b", "a b", "(c)", ""]),
    "nil and t": ("(nil t ())", [None, True, None]),
    "a property list": ("(:end-line 3 :of (:a nil))", {"end_line": 3, "of": {"a": None}}),
    "a string that looks like a keyword": ('(":a" 1)', [":a", 1]),
    "a vector": ("[1 [] (a)]", [1, [], ["a"]]),
    "a pair": ("(a . b)", ["a", ".", "b"]),
    "quotes": ("('a `(b ,c ,@d) #'e '''f)", ["a", ["b", "c", "d"], "e", "f"]),
    "comments and blanks": ("( ; to the end\n a\x00\t\xa0b)", ["a", "b"]),
}  # fmt: skip


@pytest.mark.parametrize(("text", "value"), VALUES.values(), ids=VALUES)
def test_what_emacs_prints_is_read(text: str, value: object) -> None:
    """Each form has one plain value."""
    assert decode(f"(return 1 {text})".encode()).arguments == (value,)


@pytest.mark.skipif(shutil.which("emacs") is None, reason="there is no Emacs on PATH")
def test_what_a_real_emacs_prints_is_read() -> None:
    """Whatever `prin1` is told to escape, the same values arrive."""
    program = r"""(dolist (print-escape-newlines '(nil t))
      (dolist (print-escape-nonascii '(nil t))
        (dolist (print-escape-multibyte '(nil t))
          (dolist (print-quoted '(nil t))
            (prin1 (list 'return 1 (list "λ\"\\ \n\t\e\x7f€\x20ac g" 'a\ b '\12 '\, ?x 1.5 -7 1e100
                                         (propertize "p" 'face 'bold) '(quote q) [v "w"] :key nil t)))
            (princ "\n\0")))))"""
    command = ["emacs", "-Q", "--batch", "--eval", program]
    printed = subprocess.run(command, capture_output=True, check=True).stdout.decode()

    texts = printed.split("\n\0")[:-1]

    assert len(texts) == 16
    value = ['λ"\\ \n\t\x1b\x7f€€ g', "a b", "12", ",", 120, 1.5, -7, 1e100, "p"]
    quote = (["quote", "q"], "q")
    for text in texts:
        (read_value,) = decode(text.encode()).arguments
        assert isinstance(read_value, list)
        assert read_value[:9] == value, text
        assert read_value[9] in quote
        assert read_value[10:] == [["v", "w"], ":key", None, True]


def test_what_the_stock_package_writes_is_read() -> None:
    """`sexpdata` writes what the stock client of `epc` sends."""
    value = ["\b\f\n\r\t\\\"'λ", 1, -2.5, [sexpdata.Symbol("a'b(c) d"), [1, 2]], sexpdata.Symbol("e,f")]

    assert decode(f"(return 1 {sexpdata.dumps(value)})".encode()).arguments == (
        ["\b\f\n\r\t\\\"'λ", 1, -2.5, ["a'b(c) d", [1, 2]], "e,f"],
    )


MALFORMED = {
    "5,000 digits": ("9" * 5000, "more than 500 characters"),
    "a float that overflows": ("1e999", "not finite"),
    "an infinity of Emacs": ("1.0e+INF", "not finite"),
    "no number of Emacs": ("-0.0e+NaN", "not finite"),
    "a long symbol": ("x" * (ATOM_CHARACTERS + 1), "more than 500 characters"),
    "a long symbol of escapes": (r"\x" * 5000, "more than 500 characters"),
    "a buffer": ("#<buffer a>", "no form on the wire"),
    "a record": ("#s(a 1)", "no form on the wire"),
    "a record of a string": ("#(a 1)", "no form on the wire"),
    "a surrogate": (r'"\ud800"', "UTF-8 has no form for"),
    "a character beyond Unicode": (r'"\x3fffff"', "UTF-8 has no form for"),
    "a quote of nothing": ("(')", "open or one too many"),
    "mixed brackets": ("(1]", "open or one too many"),
    "deep quotes of nothing": ("'" * 100_000, "open or one too many"),
    "deep nesting": ("(" * 200 + ")" * 200, "deeper than 100"),
    "deep vectors": ("[" * 200 + "]" * 200, "deeper than 100"),
    "many atoms": ("(" + "a " * 300_000 + ")", "more than 200000"),
    "many lists": ("(" + "()" * 300_000 + ")", "more than 200000"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), MALFORMED.values(), ids=MALFORMED)
def test_what_has_no_value_is_refused_with_its_reason(text: str, reason: str) -> None:
    """Each limit and each form without a value has its own words."""
    with pytest.raises(WireError, match=reason):
        decode(f"(return 1 {text})".encode())


@pytest.mark.parametrize("payload", [b"\xff(ping)", b'(return 1 "\xed\xa0\x80")', b'(return 1 "\xc0\x80")'])
def test_bytes_that_are_not_utf_8_are_refused(payload: bytes) -> None:
    """Surrogates and overlong forms among them."""
    with pytest.raises(WireError, match="not UTF-8"):
        decode(payload)


def test_last_backslash_is_refused() -> None:
    """It escapes nothing."""
    with pytest.raises(WireError, match="backslash"):
        decode(b"(return 1 \\")


@pytest.mark.parametrize("payload", ["\ufeff(return 1 nil)", "[return 1 nil]", "(call 1 echo [1])", "(t 1)", "nil"])
def test_what_is_not_a_message_is_refused(payload: str) -> None:
    """A byte order mark, a vector and an atom are none."""
    with pytest.raises(WireError):
        decode(payload.encode())


LONG = {
    "symbols": lambda size: "a " * (size // 2),
    "empty lists": lambda size: "()" * (size // 2),
    "opening brackets": lambda size: "(" * size,
    "empty strings": lambda size: '""' * (size // 2),
    "one string": lambda size: '"' + "x" * size + '"',
    "one string of escaped quotes": lambda size: '"' + '\\"' * (size // 2) + '"',
    "one open string of escaped quotes": lambda size: '"' + '\\"' * (size // 2),
    "one string of backslashes": lambda size: '"' + "\\\\" * (size // 2) + '"',
    "strings that end in an escape": lambda size: '"x\\"" ' * (size // 6),
    "one symbol": lambda size: "x" * size,
    "digits": lambda size: "1" * size,
    "quotes": lambda size: "'" * size,
    "quotes and blanks": lambda size: "' " * (size // 2),
    "comments": lambda size: ";\n" * (size // 2),
    "blanks": lambda size: " " * size,
    "properties": lambda size: "#(" * (size // 2),
    "octal escapes": lambda size: '"' + r"\101" * (size // 4) + '"',
}


@pytest.mark.parametrize("make", LONG.values(), ids=LONG)
def test_the_longest_frame_is_read_or_refused_in_linear_time(make: Callable[[int], str]) -> None:
    """The time of the longest frame is bounded by that of one a sixteenth as long, whatever it is made of."""

    def seconds(size: int) -> float:
        text = f"(call 1 echo ({make(size)}))"
        began = time.process_time()
        try:
            read(text)
        except WireError:
            pass
        return time.process_time() - began

    short = min(seconds(PAYLOAD_LIMIT // 16) for _ in range(3))

    assert seconds(PAYLOAD_LIMIT) < 16 * 6 * short + 0.2


def test_limits_are_those_of_what_we_write() -> None:
    """A value at the depth limit is written and read; one level more is refused by both."""
    value: object = 1
    for _ in range(DEPTH_LIMIT + 1):
        value = [value]

    assert decode(f"(call 1 echo ({write(value)}))".encode()).arguments == (value,)
    with pytest.raises(WireError, match="deeper"):
        write([value])
    with pytest.raises(WireError, match="deeper"):
        decode(f"(call 1 echo (({write(value)})))".encode())


def test_a_client_takes_more_items_than_a_server() -> None:
    """The limit of items is an argument: an answer may list all processes."""
    payload = b"(return 1 (" + b"1 " * (ITEMS_LIMIT + 1) + b"))"

    (value,) = decode(payload, items_limit=PAYLOAD_LIMIT).arguments

    assert value == [1] * (ITEMS_LIMIT + 1)


@pytest.mark.parametrize("value", [10**5000, -(10**600), [{"a": 10**5000}]], ids=["plain", "negative", "inside"])
def test_integer_of_many_digits_is_not_written(value: object) -> None:
    """Python itself refuses to print the first; no peer would read it."""
    with pytest.raises(WireError, match="more than 500 digits"):
        encode("return", 1, value)


@pytest.mark.parametrize("name", ["shell/output", "a b", "12", "1.5", "", "λ(", "a;b", "?a", "#b"])
def test_symbol_is_read_as_it_was_written(name: str) -> None:
    """Names of methods travel unquoted, others with escapes."""
    assert read(f"({write(Symbol(name))})") == [Symbol(name)]


def test_values_are_written_as_emacs_reads_them() -> None:
    """None, False and empty are nil; a dict is a property list with hyphens; text keeps its bytes."""
    value = {"end_line": 3, "a": None, "b": False, "c": [], "d": (), "t": True, "f": 1.5, "s": 'λ"\\\n'}

    data = encode("return", 1, value)

    assert data[6:].decode() == ('(return 1 (:end-line 3 :a nil :b nil :c nil :d nil :t t :f 1.5 :s "λ\\"\\\\\\n"))\n')


@pytest.mark.parametrize("value", [object(), {1: 2}, {"a": {1}}, b"bytes", float("nan"), float("inf"), Exception])
def test_value_without_a_form_is_refused(value: object) -> None:
    """Nothing leaks as a repr, and nothing is written without end."""
    with pytest.raises(WireError):
        encode("return", 1, value)


def test_value_that_holds_itself_is_refused() -> None:
    """A cycle ends in an error, not in the end of the stack."""
    value: list[object] = []
    value += [value, value]

    with pytest.raises(WireError, match="nests deeper"):
        encode("return", 1, value)


def test_lone_surrogate_is_written_as_its_escape() -> None:
    """A string that UTF-8 has no form for still makes an answer."""
    assert encode("return", 1, "a\ud800b")[6:] == b'(return 1 "a\\\\ud800b")\n'
