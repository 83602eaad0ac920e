"""A board of counters in a terminal."""

from textual.app import App
from textual.widgets import Static

UNIT = "points"

running = {}


def label(count):
    return f"{count} {UNIT}"


class Counter(Static):
    """Counts, and shows it."""

    def __init__(self):
        super().__init__("0")
        self.count = 0

    def add(self):
        self.count += 1
        self.update(self.text())
        return self.text()

    def text(self):
        return f"so far {label(self.count)}"


class Board(App):
    """One counter."""

    def compose(self):
        yield running.setdefault("counter", Counter())

    def on_mount(self):
        running["board"] = self


def press():
    return running["counter"].add().partition(" ")


def shown():
    counter = running["board"].query_one(Static)
    return counter.text()
