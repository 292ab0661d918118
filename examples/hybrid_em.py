"""A network alone, the network and then EM, and the network trained through the unfolded EM, on songs not seen.

    python examples/hybrid_em.py FOLDER

FOLDER/train and FOLDER/test hold a folder of stems for each song, as MUSDB18 does. One small network gives a mask for
the magnitudes of each source, frame by frame, from the mixture; EM turns these into multichannel filters. The two
networks have the same size and see the same excerpts for the same number of steps; only what is between the network
and the loss differs.

With 300 steps on 13 songs, SDR on 10 others was 2.04 dB for the network alone, 1.74 dB with EM after it and 2.38 dB
trained through two layers of EM (better or level on 8 songs): one seed, and weak separators all three.
"""

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

import dsp_sep as ds

STFT = ds.STFT(n_fft=2048, hop=1024)
BANDS = 48


def bands() -> np.ndarray:
    """Triangles over frequency, `(frequency, BANDS)`, narrow below and wide above; every bin is in some."""
    bins = np.arange(STFT.bins)
    centres = np.geomspace(2, STFT.bins + 1, BANDS + 2) - 2
    warped = np.interp(bins, centres, np.arange(BANDS + 2))
    triangles = np.maximum(0, 1 - abs(warped[:, None] - np.arange(1, BANDS + 1)))
    return (triangles + 1e-3).astype(np.float32)


class Masks(nnx.Module):
    """Log powers in bands, of the mixture and its side, with their neighbours in time, to a mask for each source."""

    def __init__(self, sources: int, hidden: int, rngs: nnx.Rngs):
        self.sources = sources
        self.context = nnx.Conv(2 * BANDS, hidden, kernel_size=(9,), rngs=rngs)
        self.hidden = nnx.Conv(hidden, hidden, kernel_size=(9,), rngs=rngs)
        self.out = nnx.Linear(hidden, sources * BANDS, rngs=rngs)

    def __call__(self, mixture):
        """`(channels, frequency, frames)` complex to magnitudes `(sources, 1, frequency, frames)`."""
        left, right = mixture
        power = abs(left) ** 2 + abs(right) ** 2
        filters = jnp.asarray(bands())
        features = [jnp.log(filters.T @ p + 1e-4) for p in (power, abs(left - right) ** 2)]
        x = jnp.concatenate(features).T / 4
        x = nnx.relu(self.context(x))
        x = x + nnx.relu(self.hidden(x))
        logits = (self.out(x) @ jnp.kron(jnp.eye(self.sources), filters.T / filters.sum(-1))).T
        masks = jax.nn.softmax(logits.reshape(self.sources, 1, STFT.bins, -1), axis=0)
        return masks * jnp.sqrt(power / 2)


def separate(network, algorithm, mixture):
    """Waveforms of the sources `(sources, channels, samples)`; by ratio masks where there is no algorithm."""
    X = STFT.analyze(mixture)
    magnitudes = network(X)
    if algorithm is None:
        images = ds.masking.ratio(magnitudes, 1.0) * X
    else:
        images = ds.run(algorithm, (X, magnitudes)).output
    return STFT.synthesize(images, length=mixture.shape[-1])


def loss(model, sources):
    network, algorithm = model
    estimates = separate(network, algorithm, sources.sum(0))
    return ds.training.negative_sdr(sources, estimates, ceiling=30.0).mean()


def learn(start, train, batches, rate=2e-3):
    def along(params, sources):
        return loss(ds.constrain(params, start), sources)

    optimizer = optax.adam(optax.cosine_decay_schedule(rate, len(batches)))
    return ds.constrain(ds.training.fit(along, ds.unconstrain(start, train=train), batches, optimizer).params, start)


def excerpts(songs, steps, seconds):
    each = steps // len(songs) + 1
    cut = [list(ds.training.excerpts(song, seconds=seconds, count=each, seed=i)) for i, song in enumerate(songs)]
    return [cut[step % len(songs)][step // len(songs)] for step in range(steps)]


def score(model, songs) -> np.ndarray:
    """SDR in dB of each song (its sources' mean)."""
    evaluate = jax.jit(lambda sources: -loss(model, sources))
    return np.array([float(evaluate(jnp.asarray(song.sources))) for song in songs])


def parameters(tree) -> int:
    return sum(leaf.size for leaf in jax.tree.leaves(tree))


def study(train, test, *, depth: int = 2, hidden: int = 64, steps: int = 400, seconds: float = 3.0) -> dict:
    """Rows of (parameters, SDR of each test song)."""
    sources = train[0].sources.shape[0]
    fresh = ds.network(Masks(sources, hidden, nnx.Rngs(0)))
    learned = ("exponent", "noise")
    em = ds.unfold(ds.spatial.EM(start=ds.spatial.Estimated(), noise=1e-4), depth, untied=learned)
    batches = excerpts(train, steps, seconds)
    first, second = batches[: len(batches) // 2], batches[len(batches) // 2 :]

    half, _ = learn((fresh, None), ("0.params",), first)
    alone, _ = learn((half, None), ("0.params",), second, rate=1e-3)
    model = (half, em)
    through = learn(model, ("0.params", *(f"1.{name}" for name in learned)), second, rate=1e-3)
    count = parameters(fresh.params)
    return {
        "network alone": (count, score((alone, None), test)),
        f"network, then {depth} iterations of EM": (count, score((alone, em), test)),
        f"network trained through {depth} layers of EM": (count + len(learned) * depth, score(through, test)),
    }


def table(rows: dict) -> float:
    for name, (count, scores) in rows.items():
        print(f"{name:45s} {count:8d} parameters  SDR {scores.mean():6.2f} dB  (songs: {np.round(scores, 1)})")
    scores = [row[1].mean() for row in rows.values()]
    return float(scores[2] - max(scores[:2]))


def main(folder: str | None = None, **settings) -> float:
    if folder is None:
        return table(study([ds.data.example("learn")], [ds.data.example("judge")], **settings))
    songs = [[ds.data.read_song(path) for path in ds.data.songs(Path(folder) / split)] for split in ("train", "test")]
    return table(study(*songs, **settings))


if __name__ == "__main__":
    main(*sys.argv[1:])
