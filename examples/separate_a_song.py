"""Separate a song with the classic supervised chain: a dictionary for each stem, activations, a mask, MISI.

    python examples/separate_a_song.py

The dictionaries are learned on the first half of the bundled song, and the second half is separated. With stems of
other songs by the same instruments in place of the first half, this is how a song without stems is taken apart.
"""

import jax

import dsp_sep as ds


def main(components: int = 16, steps: int = 100, iterations: int = 25) -> float:
    known, song = ds.data.example("learn"), ds.data.example("judge")
    stft = ds.STFT(n_fft=4096, hop=1024)
    dictionaries = ds.separators.learn_dictionaries(
        stft, known.sources, components=components, steps=steps, key=jax.random.key(0)
    )
    chain = ds.separators.classic(stft, dictionaries, names=song.names, rate=song.rate, iterations=iterations)
    stems = chain(song.mixture)

    before = ds.metrics.median_sdr(song.sources, jax.numpy.broadcast_to(song.mixture, stems.shape), song.rate)
    after = ds.metrics.median_sdr(song.sources, stems, song.rate)
    for name, low, high in zip(song.names, before, after, strict=True):
        print(f"{name:8s} {low:6.2f} dB in the mixture, {high:6.2f} dB separated")
    print(f"the stems sum to the mixture within {abs(stems.sum(0) - song.mixture).max():.1e}")
    return float(after.mean() - before.mean())


if __name__ == "__main__":
    main()
