"""The workloads, one file a family."""

from ..workload import Workload
from . import bss_eval, griffin_lim, misi, nmf, stft

WORKLOADS: dict[str, Workload] = {
    w.name: w for room in (stft, griffin_lim, misi, nmf, bss_eval) for w in room.WORKLOADS
}
