"""The workloads, one file a family."""

from ..workload import Workload
from . import griffin_lim, nmf, stft

WORKLOADS: dict[str, Workload] = {w.name: w for room in (stft, griffin_lim, nmf) for w in room.WORKLOADS}
