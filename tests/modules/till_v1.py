"""A till that outlives its program: version 1 keeps a sum."""

from midflight import GenServer


class Till(GenServer):
    durable = True

    def init(self, first=0):
        self.total = first
        self.begun = "init"

    def restored(self, first=0):
        self.begun = "restored"

    def handle_call(self, request, client):
        match request:
            case ("add", amount):
                self.total += amount
            case ("set", name, value):
                setattr(self, name, value)
            case "crash":
                raise RuntimeError("the drawer is stuck")
            case "all":
                return dict(vars(self))
        return self.total
