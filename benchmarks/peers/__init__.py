"""Other people's libraries, one file each: functions of a problem that return a call which does the work.

Each does what dsp_sep is asked to do: the same start, the same number of iterations, float32, the same order of
updates, in the way that the library's own users would write it; what is settled once (windows, copies) is not timed.
"""

import importlib
import types


def load(name: str, threads: int) -> types.ModuleType:
    """The file of a peer, set to use so many threads.

    Raises:
        ImportError: if the peer is not installed, or does not fit what it is installed beside.
    """
    try:
        peer = importlib.import_module(f".{name}", __name__)
    except OSError as error:  # a library made for another torch
        raise ImportError(str(error)) from error
    if hasattr(peer, "use_threads"):
        peer.use_threads(threads)
    return peer
