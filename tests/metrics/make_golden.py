"""Makes golden.npz: what museval and fast_bss_eval say about stored signals.

    python tests/metrics/make_golden.py          # needs museval 0.4.1 and fast_bss_eval 0.1.4, which the tests do not

Arrays: `reference` and `estimate` (sources, channels, samples) in float32, `rate` in Hz; `museval_sdr`
(sources, chunks) for chunks of a second (NaN where any source is silent); `si_sdr` (sources, channels) without removal
of the mean.
"""

from pathlib import Path

import fast_bss_eval
import museval
import numpy as np

RATE = 1000
SAMPLES = 3 * RATE + 300  # three chunks and a rest that fills none


def signals() -> tuple[np.ndarray, np.ndarray]:
    """Three coloured noises in stereo with an offset, and estimates of about 5, 20 and 60 dB."""
    random = np.random.default_rng(0)
    white = random.standard_normal((3, 2, SAMPLES + 20))
    kernels = random.standard_normal((3, 20)) * 0.8 ** np.arange(20)
    coloured = [[np.convolve(channel, kernels[k], "valid")[:SAMPLES] for channel in white[k]] for k in range(3)]
    reference = 0.1 * np.array(coloured) + 0.02
    reference[1, :, RATE : 2 * RATE] = 0  # one source is silent for the second chunk
    leakage = reference.sum(axis=0) - reference
    noise = random.standard_normal(reference.shape)
    amount = np.array([0.3, 0.05, 0.0005])[:, None, None]
    gain = np.array([0.8, 1.02, 1.0])[:, None, None]
    estimate = gain * reference + amount * (leakage + 0.1 * noise)
    return reference.astype(np.float32), estimate.astype(np.float32)


def main() -> None:
    reference, estimate = signals()
    exact = [signal.astype(np.float64) for signal in (reference, estimate)]
    frames = [signal.transpose(0, 2, 1) for signal in exact]
    sdr, *_ = museval.metrics.bss_eval(*frames, window=RATE, hop=RATE, bsseval_sources_version=False)
    si_sdr, *_ = fast_bss_eval.si_bss_eval_sources(
        *(signal.reshape(6, 1, SAMPLES) for signal in exact), zero_mean=False, compute_permutation=False
    )
    np.savez_compressed(
        Path(__file__).with_name("golden.npz"),
        reference=reference,
        estimate=estimate,
        rate=RATE,
        museval_sdr=sdr,
        si_sdr=np.reshape(si_sdr, (3, 2)),
    )
    print(sdr, np.reshape(si_sdr, (3, 2)), sep="\n")


if __name__ == "__main__":
    main()
