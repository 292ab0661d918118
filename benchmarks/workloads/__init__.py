"""The workloads, one file a family."""

from ..workload import Workload
from . import bss_eval, cases, griffin_lim, kernels, misi, nmf, spatial, stft, streams

WORKLOADS: dict[str, Workload] = {
    w.name: w
    for room in (stft, griffin_lim, misi, streams, nmf, spatial, bss_eval, kernels, cases)
    for w in room.WORKLOADS
}
