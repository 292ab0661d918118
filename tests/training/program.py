"""A training run as a process of its own: `program.py FOLDER SONGS STEPS [--processes PORT RANK] [--devices N] ...`."""

import argparse

import jax
import jax.numpy as jnp
import numpy as np
import optax

from dsp_sep import STFT
from dsp_sep.data import Augmentation, Excerpts, batches, songs
from dsp_sep.training import Validation, fit, negative_sdr


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("songs")
    parser.add_argument("steps", type=int)
    parser.add_argument("--rank", type=int)
    parser.add_argument("--port", type=int)
    parser.add_argument("--devices", type=int)
    parser.add_argument("--accumulate", type=int, default=1)
    options = parser.parse_args()
    if options.port:
        jax.distributed.initialize(f"127.0.0.1:{options.port}", num_processes=2, process_id=options.rank)

    stft = STFT(n_fft=64, hop=16)
    how = Augmentation(mix=0.5, gain=(-6, 6), swap=0.5, flip=0.5)
    items = Excerpts(songs(options.songs), names=("a", "b"), seconds=0.1, rate=8000, seed=1, augmentation=how)

    def loss(params, sources):
        """A mask for each source, the same in all frames."""
        masks = jax.nn.softmax(params["mask"], axis=0)[:, None, :, None]
        X = stft.analyze(jnp.sum(sources, axis=1, keepdims=True))
        return jnp.mean(negative_sdr(sources, stft.synthesize(masks * X, length=sources.shape[-1])))

    def load(first):
        share = (jax.process_index(), jax.process_count())
        return batches(items, 4, first=first, count=options.steps - first, share=share)

    found = fit(
        loss,
        {"mask": jnp.zeros((2, 33)), "unused": jnp.zeros(3)},
        load,
        optax.adam(0.05),
        accumulate=options.accumulate,
        devices=jax.devices()[: options.devices] if options.devices or options.port else None,
        validation=Validation(lambda params: -float(jnp.sum(params["mask"] ** 2)), every=7),
        folder=options.folder,
        every=3,
        about={"data": items.digest(), "seed": 1},
        on_step=lambda step, value: print(step, flush=True),
    )
    if jax.process_index() == 0:
        np.savez(f"{options.folder}/found.npz", mask=found.params["mask"], best=found.best["mask"], losses=found.losses)


if __name__ == "__main__":
    main()
