"""A till: a server that adds up what is sold, under a supervisor that starts it again after a crash."""

from midflight import ChildSpec, GenServer, Supervisor


class Till(GenServer):
    def init(self):
        self.total = 0

    def handle_call(self, request, client):
        match request:
            case ("sell", price):
                self.total += price
                return self.total
            case "total":
                return self.total


async def start():
    return Supervisor.start([ChildSpec("till", Till, name="till")])
