"""Texts of modules that several cases load, and what is asked of their versions."""

from __future__ import annotations

from midflight import code

LOCAL_LOOP = """
    from midflight import receive, trap_exit

    async def loop():
        match await receive():
            case ("v", pid):
                pid << ("v", VERSION)
                return loop()
            case "trap":
                trap_exit(True)
                return loop()
"""
QUALIFIED_LOOP = """
    import m
    from midflight import receive

    async def loop():
        _, pid = await receive(("v", ...))
        pid << ("v", VERSION)
        return m.loop()
"""


def version(source: str, number: int) -> str:
    """Return the text of version `number`: VERSION in it is that number."""
    return source.replace("VERSION", str(number))


def has_old_code(name: str = "m") -> bool:
    """Say whether anybody still runs an old version: OTP's check_old_code, where old code stays until purged."""
    return code.is_loaded(name) is not None and any(not each.is_current for each in code.versions(name))
