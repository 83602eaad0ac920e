"""Settings of pydantic, imported by name where they are used, and letters written with them."""

from __future__ import annotations

from typing import ClassVar

import pytest

from real.harness import Edit, EveryEdit, Running, Start


class Mail(Running):
    """The mail, after one letter."""

    folder = "pydantic_settings_mail"

    def state(self) -> object:
        """The first letter, and who writes."""
        return self.value("(mail.outbox[0], list(mail.writers))")


def letter(mail: Mail) -> object:
    return mail.value("mail.write('Ada')")


class TestMail(EveryEdit):
    """The list, for the module that writes."""

    program = Mail
    handler = Edit(
        "mail.py",
        (("    return letter\n", "    return letter.upper()\n"),),
        look=letter,
        before="Dear Ada, from shop@example.org",
        after="DEAR ADA, FROM SHOP@EXAMPLE.ORG",
        changed=("write",),
        says=("outbox", "writers"),
    )
    again = Edit(
        "mail.py",
        (("letter.upper()", "letter.lower()"),),
        look=letter,
        before="DEAR ADA, FROM SHOP@EXAMPLE.ORG",
        after="dear ada, from shop@example.org",
        changed=("write",),
        says=("outbox", "writers"),
    )
    method = Edit(
        "mail.py",
        (("{GREETING} {self.name},", "{GREETING} dear {self.name},"),),
        look=letter,
        before="Dear Ada, from shop@example.org",
        after="Dear dear Ada, from shop@example.org",
        changed=("Writer.letter",),
        says=("writers",),
    )
    constant = Edit(
        "mail.py",
        (('"Dear"', '"Hello"'),),
        look=letter,
        before="Dear Ada, from shop@example.org",
        after="Hello Ada, from shop@example.org",
        changed=("GREETING",),
    )
    added = Edit(
        "mail.py",
        (
            ("        self.letters = 0\n", "        self.letters = 0\n        self.copies = 1\n"),
            ("def left()", "def copies(name):\n    return vars(writers[name]).get('copies')\n\n\ndef left()"),
        ),
        look=lambda mail: mail.value("mail.copies('Ada') if hasattr(mail, 'copies') else 'not there'"),
        before="not there",
        after=None,
        added=("copies",),
        changed=("Writer.__init__",),
        says=("writers",),
    )
    renamed = Edit(
        "mail.py",
        (("def left(", "def remaining("),),
        look=lambda mail: mail.value("[name for name in ('left', 'remaining') if hasattr(mail, name)]"),
        before=["left"],
        after=["remaining"],
        added=("remaining",),
        removed=("left",),
    )


class TestSettings:
    """Edits of the settings themselves: a model made at import, which another module has by name."""

    edits: ClassVar = {
        "a method": ('f"{self.sender}@example.org"', 'f"{self.sender}@example.com"'),
        "a default": ('sender: str = "shop"', 'sender: str = "store"'),
        "a field": ("    limit: int = 3\n", "    limit: int = 3\n    copies: int = 1\n"),
    }

    @pytest.mark.parametrize("name", edits)
    def test_who_keeps_the_old_settings_is_named(self, start: Start, name: str) -> None:
        """The report names `settings in mail` if that keeps the old ones; once mail is loaded too it has the new."""
        with start(Mail) as mail:
            before = letter(mail)
            mail.write(Edit("config.py", (self.edits[name],), look=letter, before=None, after=None))

            report = mail.load("config.py")

            assert report["status"] == "loaded", report["text"]
            stale = [(each["module"], each["name"]) for each in report["stale_imports"]]
            if mail.value("mail.settings is not config.settings"):
                assert stale == [("mail", "settings")], report["text"]
                assert letter(mail) == before
            assert mail.load("mail.py")["status"] == "loaded"
            assert mail.value("mail.settings is config.settings and type(mail.settings) is config.Settings")
