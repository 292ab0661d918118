"""Two records beside each other: what is slower or faster than the noise of their samples explains."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from rich.table import Table

from .session import OURS

DRAWS = 4000
COVERAGE = 0.99
VERDICTS = {-1: "[green]faster", 0: "", 1: "[red]slower"}


class Ratio(NamedTuple):
    """A ratio of medians, with the bounds of its interval of confidence."""

    value: float
    low: float
    high: float

    @property
    def verdict(self) -> int:
        """1 for more time after than before, -1 for less, 0 where the samples do not tell."""
        return int(self.low > 1) - int(self.high < 1)


def ratio(before: Sequence[float], after: Sequence[float], *, seed: int = 0) -> Ratio:
    """The median of samples over that of earlier ones, with its bootstrap interval (99 %).

    It knows of the noise within a run only: of what differs between two runs (another machine, another neighbour) the
    floors and the peers tell, whose code is the same in both.

    Args:
        before: seconds.
        after: seconds.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    medians = [np.median(rng.choice(samples, (DRAWS, len(samples))), axis=1) for samples in (before, after)]
    low, high = np.quantile(medians[1] / medians[0], ((1 - COVERAGE) / 2, (1 + COVERAGE) / 2))
    return Ratio(float(np.median(after) / np.median(before)), float(low), float(high))


def table(before: dict[str, Any], after: dict[str, Any]) -> Table:
    """A row for each contestant of each workload and size that are in both records."""
    table = Table("workload", "", "before, ms", "after, ms", "after / before", "99 %", "", box=None)
    earlier = {(w["name"], w["size"]): w for w in before["workloads"]}
    for workload in after["workloads"]:
        old = {
            entry["name"]: entry
            for entry in earlier.get((workload["name"], workload["size"]), {"entries": []})["entries"]
        }
        for entry in workload["entries"]:
            samples = old.get(entry["name"], {"seconds": []})["seconds"], entry["seconds"]
            if not all(samples):
                continue
            change = ratio(*samples)
            table.add_row(
                f"{workload['name']}, {workload['size']}",
                entry["name"],
                *(f"{1e3 * np.median(seconds):.2f}" for seconds in samples),
                f"{change.value:.2f}",
                f"{change.low:.2f} to {change.high:.2f}",
                VERDICTS[change.verdict],
                style="bold" if entry["role"] == OURS else "dim",
            )
    return table


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """What differs between the environments of two records, and what is in one of them alone."""
    old, new = before["environment"], after["environment"]
    lines = [
        f"{name}: {old.get(name)} -> {new.get(name)}"
        for name in new
        if name != "versions" and old.get(name) != new[name]
    ]
    rates = before.get("machine", {}), after.get("machine", {})
    lines += [
        f"machine, {name} a second: {rates[0][name]:.3g} -> {rates[1][name]:.3g}"
        for name in rates[0].keys() & rates[1].keys()
    ]
    versions = old["versions"], new["versions"]
    names = sorted({*versions[0], *versions[1]})
    lines += [
        f"{n}: {versions[0].get(n)} -> {versions[1].get(n)}" for n in names if versions[0].get(n) != versions[1].get(n)
    ]
    kinds = [{f"{w['name']}, {w['size']}" for w in record["workloads"]} for record in (before, after)]
    lines += [f"only before: {name}" for name in sorted(kinds[0] - kinds[1])]
    return lines + [f"only after: {name}" for name in sorted(kinds[1] - kinds[0])]
