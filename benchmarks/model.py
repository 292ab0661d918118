"""On paper: an iteration on 8 to 64 GPUs or TPUs, from its cost and from what it was seen to send.

Assumptions. A device reaches half (`EFFICIENCY`) of its published rates for memory and for float32 products (a TPU
makes one of six in bfloat16; no tensor cores on the GPU). FFTs run at the rate of memory, samples read and spectra
written: their operations are not counted, their bytes are. Sent bytes go over the slowest link in a ring,
`2 (n - 1) / n` of an all-reduce, `(n - 1) / n` of anything else; each collective costs its latency as well, and nothing
overlaps. More than eight GPUs are linked by their network. What is sent is taken from the program compiled for two
devices: for more, the parts of a gather are smaller and their sum the same.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from .cost import Cost

EFFICIENCY = 0.5
COUNTS = (8, 16, 64)


@dataclasses.dataclass(frozen=True)
class Device:
    """Published rates of one.

    Attributes:
        name: what it is called.
        memory: bytes a second.
        products: operations a second, in float32.
        link: bytes a second and direction to its neighbours, and to those outside its group of `near`.
        near: how many are linked closely.
        latency: seconds for a collective.
    """

    name: str
    memory: float
    products: float
    link: tuple[float, float]
    near: int
    latency: float


DEVICES = (
    Device("H100 SXM", 3.35e12, 67e12, (450e9, 50e9), 8, 15e-6),
    Device("TPU v5p", 2.765e12, 459e12 / 6, (100e9, 100e9), 64, 5e-6),
)


def seconds(cost: Cost, sent: Mapping[str, Mapping[str, float]], device: Device, count: int) -> float:
    """Of an iteration spread over so many devices.

    Args:
        cost: of the whole iteration.
        sent: by kind of collective, the `count` and `bytes` of it in an iteration.
        device: on which.
        count: of them.
    """
    transformed = 8 / 27.5 * cost.transforms  # a real FFT of 2048 points: bytes and operations for each of them
    memory = (cost.bytes + transformed) / device.memory
    work = max(memory, cost.products / device.products) / EFFICIENCY / count
    if count == 1:
        return work
    link = device.link[count > device.near]
    share = (count - 1) / count
    talk = sum(
        of["count"] * device.latency + of["bytes"] * (2 if kind == "all-reduce" else 1) * share / link
        for kind, of in sent.items()
    )
    return work + talk


def speedups(found: Mapping[str, Any], axis: str, device: Device) -> list[float]:
    """Over one device, for each of `COUNTS`, from a record of `sharding.measure`."""
    cost, sent = Cost(**found["cost"]), found["axes"][axis]["inside"]
    if axis == "batch":  # a problem for each device: as much more work
        return [n * seconds(cost, {}, device, 1) / seconds(_times(cost, n), sent, device, n) for n in COUNTS]
    return [seconds(cost, {}, device, 1) / seconds(cost, sent, device, n) for n in COUNTS]


def _times(cost: Cost, n: int) -> Cost:
    return Cost(*(n * value for value in cost))
