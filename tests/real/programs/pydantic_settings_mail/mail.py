"""Letters, by the settings."""

from config import settings

GREETING = "Dear"

outbox = []
writers = {}


class Writer:
    """Writes to one person."""

    def __init__(self, name):
        self.name = name
        self.letters = 0

    def letter(self):
        self.letters += 1
        return f"{GREETING} {self.name}, from {settings.address()}"


def write(name):
    letter = writers.setdefault(name, Writer(name)).letter()
    outbox.append(letter)
    return letter


def left():
    return settings.limit - len(outbox)
