"""The wire: EPC over a local socket, the rules for its users, and its methods."""

from midflight.epc.client import RemoteServer
from midflight.epc.cookie import new_cookie
from midflight.epc.methods import crash_plist, describe, methods_of, stale_plist, stuck_plist
from midflight.epc.publication import Publication
from midflight.epc.rendezvous import MAIN, ProjectFiles, find_root, running_servers, runtime_folder
from midflight.epc.server import Server
from midflight.epc.server_file import PROTOCOL, ServerFile
from midflight.epc.services import Services

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
    "methods_of",
    "new_cookie",
    "running_servers",
    "runtime_folder",
    "stale_plist",
    "stuck_plist",
]
