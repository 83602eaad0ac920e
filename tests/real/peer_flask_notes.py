"""Notes on Flask: routes by decorators, an application that werkzeug's server holds, notes in a module-level dict."""

from __future__ import annotations

import httpx

from real.harness import Edit, EveryEdit, Running


class Notes(Running):
    """The notes, with one of them there."""

    folder = "flask_notes"

    def begin(self) -> None:
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", trust_env=False)
        assert self._http.put("/notes/tea", content="buy tea").text == "put"

    def end(self) -> None:
        if hasattr(self, "_http"):
            self._http.close()

    def get(self, path: str) -> str:
        """Return the text of a page, or the status of what has none."""
        answer = self._http.get(path)
        return answer.text if answer.status_code == 200 else str(answer.status_code)

    def state(self) -> object:
        """The note is there."""
        return self.get("/notes/tea")[:7]


def index(notes: Notes) -> str:
    return notes.get("/")


COUNT = """\
@app.get("/count")
def count():
    return f"count {len(notes)}"


"""


class TestNotes(EveryEdit):
    """The list, for the notes."""

    program = Notes
    handler = Edit(
        "notes.py",
        (("{TITLE}: {len", "{TITLE} are {len"),),
        look=index,
        before="Notes: 1",
        after="Notes are 1",
        changed=("index",),
        says=("notes",),
    )
    again = Edit(
        "notes.py",
        (("{TITLE} are {len", "{TITLE} = {len"),),
        look=index,
        before="Notes are 1",
        after="Notes = 1",
        changed=("index",),
        says=("notes",),
    )
    method = Edit(
        "notes.py",
        (("{self.text}, read", "{self.text}, seen"),),
        look=lambda notes: notes.get("/notes/tea"),
        before="buy tea, read",
        after="buy tea, seen",
        changed=("Note.shown",),
        says=("notes",),
    )
    constant = Edit(
        "notes.py",
        (('TITLE = "Notes"', 'TITLE = "Slips"'),),
        look=index,
        before="Notes: 1",
        after="Slips: 1",
        changed=("TITLE",),
    )
    added = Edit(
        "notes.py",
        (('@app.put("', COUNT + '@app.put("'),),
        look=lambda notes: notes.get("/count"),
        before="404",
        after="count 1",
        added=("count",),
    )
    renamed = Edit(
        "notes.py",
        (("def index(", "def front("), ("{TITLE}: {len", "front {len")),
        look=index,
        before="Notes: 1",
        after="front 1",
        added=("front",),
        removed=("index",),
    )
