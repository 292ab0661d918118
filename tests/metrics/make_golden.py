"""Makes golden.npz: what museval, mir_eval and fast_bss_eval say about stored signals and those of `signals`.

    PYTHONPATH=. python tests/metrics/make_golden.py      # needs museval 0.4.1, mir_eval 0.8 and fast_bss_eval 0.1.4

Arrays: `reference` and `estimate` (sources, channels, samples) in float32, `rate` in Hz; `museval_sdr`
(sources, chunks) for chunks of a second (NaN where any source is silent); `si_sdr` (sources, channels) without removal
of the mean. Then, by case, what `peer/case` says: its ratios in dB (sources[, frames]) and its `order`.
"""

import warnings
from pathlib import Path

import numpy as np

from tests.metrics.signals import RATE, noises, song, with_silence

STORED_RATE = 1000
SAMPLES = 3 * STORED_RATE + 300  # three chunks and a rest that fills none


def stored_signals() -> tuple[np.ndarray, np.ndarray]:
    """Three coloured noises in stereo with an offset, and estimates of about 5, 20 and 60 dB."""
    random = np.random.default_rng(0)
    white = random.standard_normal((3, 2, SAMPLES + 20))
    kernels = random.standard_normal((3, 20)) * 0.8 ** np.arange(20)
    coloured = [[np.convolve(channel, kernels[k], "valid")[:SAMPLES] for channel in white[k]] for k in range(3)]
    reference = 0.1 * np.array(coloured) + 0.02
    reference[1, :, STORED_RATE : 2 * STORED_RATE] = 0  # one source is silent for the second chunk
    leakage = reference.sum(axis=0) - reference
    noise = random.standard_normal(reference.shape)
    amount = np.array([0.3, 0.05, 0.0005])[:, None, None]
    gain = np.array([0.8, 1.02, 1.0])[:, None, None]
    estimate = gain * reference + amount * (leakage + 0.1 * noise)
    return reference.astype(np.float32), estimate.astype(np.float32)


def by_museval(reference: np.ndarray, estimate: np.ndarray, **options) -> dict[str, np.ndarray]:
    import museval

    frames = (signal.astype(np.float64).transpose(0, 2, 1) for signal in (reference, estimate))
    return dict(zip(("sdr", "isr", "sir", "sar", "order"), museval.metrics.bss_eval(*frames, **options), strict=True))


def by_mir_eval(reference: np.ndarray, estimate: np.ndarray) -> dict[str, np.ndarray]:
    import mir_eval

    found = mir_eval.separation.bss_eval_sources(reference[:, 0], estimate[:, 0], compute_permutation=True)
    return dict(zip(("sdr", "sir", "sar", "order"), found, strict=True))


def by_fast_bss_eval(reference: np.ndarray, estimate: np.ndarray) -> dict[str, np.ndarray]:
    import fast_bss_eval

    found = fast_bss_eval.bss_eval_sources(reference[:, 0], estimate[:, 0], compute_permutation=True)
    return dict(zip(("sdr", "sir", "sar", "order"), found, strict=True))


def scale_invariant(reference: np.ndarray, estimate: np.ndarray) -> dict[str, np.ndarray]:
    import fast_bss_eval

    mono = (signal.astype(np.float64).transpose(1, 0, 2) for signal in (reference, estimate))
    found = fast_bss_eval.si_bss_eval_sources(*mono, zero_mean=False, compute_permutation=False)
    return dict(zip(("sdr", "sir", "sar"), (np.swapaxes(value, 0, 1) for value in found), strict=True))


def cases() -> dict[str, dict[str, np.ndarray]]:
    """What each peer says of each case; the signals are those of `signals`."""
    second = {"window": RATE, "hop": RATE}
    copied = song()[0]
    copied[1, 1] = copied[1, 0]
    return {
        "museval/song": by_museval(*song(), **second),
        "museval/silence": by_museval(*with_silence(*song()), **second),
        "museval/overlap": by_museval(*song(2.5), window=0.75 * RATE, hop=0.5 * RATE),
        "museval/frame": by_museval(*song(2.0), **second, framewise_filters=True),
        "museval/order": by_museval(song(2.0)[0], song(2.0)[1][[3, 1, 0, 2]], **second, compute_permutation=True),
        "museval/sources": by_museval(*song(1.5), window=np.inf, hop=np.inf, bsseval_sources_version=True),
        "museval/copied": by_museval(copied, song()[1], **second),
        "mir_eval/noises": by_mir_eval(*noises()),
        "mir_eval/song": by_mir_eval(*song(2.0)),
        "fast_bss_eval/noises": by_fast_bss_eval(*noises()),
        "fast_bss_eval/song": by_fast_bss_eval(*song(2.0)),
        "fast_bss_eval/scale_invariant": scale_invariant(*song(2.0)),
    }


def main() -> None:
    warnings.simplefilter("ignore")
    reference, estimate = stored_signals()
    options = {"window": STORED_RATE, "hop": STORED_RATE}
    found = {f"{case}/{name}": value for case, values in cases().items() for name, value in values.items()}
    path = Path(__file__).with_name("golden.npz")
    np.savez_compressed(
        path,
        reference=reference,
        estimate=estimate,
        rate=STORED_RATE,
        museval_sdr=by_museval(reference, estimate, **options)["sdr"],
        si_sdr=scale_invariant(reference, estimate)["sdr"],
        **found,
    )
    for name, value in found.items():
        print(name, np.array2string(value, precision=3), sep="\n")
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
