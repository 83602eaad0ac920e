"""The wire: EPC over a local socket, the rules for its users, and its methods.

Each name is imported when it is first used: a client needs a tenth of what a server does.
"""

from typing import TYPE_CHECKING

from midflight.lazy import names_of

if TYPE_CHECKING:
    from midflight.epc.client import RemoteServer
    from midflight.epc.cookie import new_cookie
    from midflight.epc.kinds import kind_of
    from midflight.epc.methods import crash_plist, describe, methods_of, stale_plist, stuck_plist
    from midflight.epc.peer_user import user_of_port
    from midflight.epc.publication import Publication
    from midflight.epc.rendezvous import MAIN, ProjectFiles, find_root, running_servers, runtime_folder
    from midflight.epc.server import Server
    from midflight.epc.server_file import PROTOCOL, ServerFile
    from midflight.epc.services import Services
else:
    __getattr__ = names_of(
        __name__,
        {
            "midflight.epc.client": "RemoteServer",
            "midflight.epc.cookie": "new_cookie",
            "midflight.epc.kinds": "kind_of",
            "midflight.epc.methods": "crash_plist describe methods_of stale_plist stuck_plist",
            "midflight.epc.peer_user": "user_of_port",
            "midflight.epc.publication": "Publication",
            "midflight.epc.rendezvous": "MAIN ProjectFiles find_root running_servers runtime_folder",
            "midflight.epc.server": "Server",
            "midflight.epc.server_file": "PROTOCOL ServerFile",
            "midflight.epc.services": "Services",
        },
    )

__all__ = [
    "MAIN",
    "PROTOCOL",
    "ProjectFiles",
    "Publication",
    "RemoteServer",
    "Server",
    "ServerFile",
    "Services",
    "crash_plist",
    "describe",
    "find_root",
    "kind_of",
    "methods_of",
    "new_cookie",
    "running_servers",
    "runtime_folder",
    "stale_plist",
    "stuck_plist",
    "user_of_port",
]
