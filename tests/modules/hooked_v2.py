"""Registers itself. What changes: the number that it registers under."""
from midflight.code import on_load, on_unload

from hook_log import LOG
import hooked


def which():
    return 2


@on_load
def register():
    LOG.append(("load 2", hooked.which()))


@on_unload
def unregister():
    LOG.append(("unload 2", hooked.which()))
