"""The answers of the two web programs beside this file. Edit and load it while people are connected."""

count = 0  # lines heard by all, which a load keeps


def answer(text):
    """Return what somebody is told who said `text`."""
    global count
    count += 1
    return f"line {count}: {text}"
