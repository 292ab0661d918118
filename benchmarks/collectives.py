"""What a compiled program sends from device to device."""

import re
from typing import Any

KINDS = ("all-reduce", "all-gather", "all-to-all", "collective-permute", "reduce-scatter")
WIDTHS = {"pred": 1, "s8": 1, "u8": 1, "s32": 4, "u32": 4, "f32": 4, "s64": 8, "u64": 8, "f64": 8, "c64": 8, "c128": 16}

_COMPUTATION = re.compile(r"^(?:ENTRY )?%?([\w.\-]+) .*\{$")
_CALLED = re.compile(r"(?:body|condition|to_apply|calls|branch_computations|called_computations)=\{?([^,}\s]+)")
_COLLECTIVE = re.compile(rf"= (.*?) ({'|'.join(KINDS)})(?:-start)?\(")
_ARRAY = re.compile(r"(\w+)\[([\d,]*)\]")


def collectives(text: str) -> dict[str, dict[str, dict[str, int]]]:
    """Those of an optimised program: how many, and the bytes of what comes out of them on a device.

    Args:
        text: the program, as `compiled.as_text()` gives it.

    Returns:
        For "inside" the loops (each counted once, though it runs in every iteration) and "outside", by kind, `count`
        and `bytes`.
    """
    lines: dict[str, list[str]] = {}
    name = ""
    for line in text.splitlines():
        head = _COMPUTATION.match(line)
        if head:
            name = head[1]
        lines.setdefault(name, []).append(line)
    called = {one: {c.lstrip("%") for line in body for c in _CALLED.findall(line)} for one, body in lines.items()}
    bodies = {c for body in lines.values() for line in body for c in re.findall(r"body=%?([\w.\-]+)", line)}
    inside = set[str]()
    while bodies:
        one = bodies.pop()
        inside.add(one)
        bodies |= called.get(one, set()) - inside
    found: dict[str, dict[str, dict[str, int]]] = {"inside": {}, "outside": {}}
    for one, body in lines.items():
        for line in body:
            match = _COLLECTIVE.search(line)
            if match:
                of_kind = found["inside" if one in inside else "outside"].setdefault(match[2], {"count": 0, "bytes": 0})
                of_kind["count"] += 1
                of_kind["bytes"] += _bytes(match[1])
    return found


def _bytes(shapes: str) -> int:
    total = 0
    for kind, shape in _ARRAY.findall(shapes):
        size = WIDTHS.get(kind, 4)
        for side in filter(None, shape.split(",")):
            size *= int(side)
        total += size
    return total


def total(part: dict[str, dict[str, int]]) -> dict[str, Any]:
    """Of all kinds."""
    return {key: sum(of_kind[key] for of_kind in part.values()) for key in ("count", "bytes")}
