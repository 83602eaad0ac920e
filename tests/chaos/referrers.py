"""What keeps an object in memory: paths from it outwards, for the report of a leak."""

from __future__ import annotations

import gc
import types

__all__ = ["paths_to"]

STEPS = 10
WIDTH = 12
SHOWN = 5


def paths_to(target: object) -> list[str]:
    """Return some ways by which `target` is held, as text, from the object itself outwards."""
    paths: list[list[object]] = [[target]]
    seen = {id(target)}
    ends: list[list[object]] = []
    for _ in range(STEPS):
        longer: list[list[object]] = []
        mine = {id(paths), id(longer), id(ends), *map(id, paths), *map(id, ends)}
        for path in paths:
            holders = gc.get_referrers(path[-1])
            mine.add(id(holders))
            held = False
            for each in holders:
                if id(each) in mine or _is_frame_of_ours(each):
                    continue
                held = True
                if id(each) in seen:
                    continue
                seen.add(id(each))
                if len(longer) < WIDTH:
                    longer.append([*path, each])
                    mine.add(id(longer[-1]))
            del each, holders
            if not held or _is_root(path[-1]):
                ends.append(path)
                mine.add(id(path))
        paths = [path for path in longer if not any(path is end for end in ends)]
    return [" <- ".join(map(_name, path)) for path in (*ends, *paths)][:SHOWN]


def _is_frame_of_ours(each: object) -> bool:
    if isinstance(each, types.FrameType):
        return "/chaos/" in each.f_code.co_filename
    return False


def _is_root(each: object) -> bool:
    return isinstance(each, types.ModuleType) or (isinstance(each, dict) and "__name__" in each)


def _name(each: object) -> str:
    if isinstance(each, types.FrameType):
        return f"frame {each.f_code.co_qualname}:{each.f_lineno}"
    if isinstance(each, dict):
        return f"dict of {list(map(str, list(each)[:4]))}"
    try:
        return f"{type(each).__name__} {repr(each)[:80]}"
    except Exception:
        return type(each).__name__
