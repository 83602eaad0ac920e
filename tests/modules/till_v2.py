"""A till that outlives its program: version 2 keeps the amounts."""

from midflight import GenServer


class Till(GenServer):
    durable = True

    def init(self, first=0):
        self.amounts = [first]

    def restored(self, first=0):
        self.begun = "restored"

    def code_change(self, old_vsn, extra):
        self.amounts = [self.total]
        del self.total

    def handle_call(self, request, client):
        match request:
            case ("add", amount):
                self.amounts.append(amount)
            case "all":
                return dict(vars(self))
        return sum(self.amounts)
