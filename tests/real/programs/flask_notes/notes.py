"""Notes that people leave."""

from flask import Flask, abort, request

TITLE = "Notes"

app = Flask(__name__)
notes = {}


class Note:
    """A text and how often it was read."""

    def __init__(self, text):
        self.text = text
        self.read = 0

    def shown(self):
        self.read += 1
        return f"{self.text}, read"


@app.get("/")
def index():
    return f"{TITLE}: {len(notes)}"


@app.put("/notes/<name>")
def put(name):
    notes[name] = Note(request.get_data(as_text=True))
    return "put"


@app.get("/notes/<name>")
def get(name):
    if name not in notes:
        abort(404)
    return notes[name].shown()
