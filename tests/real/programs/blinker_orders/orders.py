"""Orders that others hear of by signals."""

from blinker import signal

URGENT = 100

placed = signal("placed")
log = []
mailers = {}


class Mailer:
    """Writes to one address."""

    def __init__(self, address):
        self.address = address
        self.sent = 0
        placed.connect(self.on_placed)

    def on_placed(self, sender, total):
        self.sent += 1
        log.append(f"mail to {self.address}: {total}")


def subscribe(address):
    mailers[address] = Mailer(address)


def unsubscribe(address):
    placed.disconnect(mailers.pop(address).on_placed)


@placed.connect
def note(sender, total):
    log.append(f"noted {total}{'!' if total > URGENT else ''}")


def place(total):
    log.clear()
    placed.send("shop", total=total)
    return sorted(log)


def sent():
    return {address: mailer.sent for address, mailer in mailers.items()}
