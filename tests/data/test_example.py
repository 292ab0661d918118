"""The bundled example is the music it claims to be."""

import jax
import numpy as np
import pytest

import dsp_sep as ds
from dsp_sep.data.example import FOLDER

SONG = ds.data.example()


def test_shapes():
    assert SONG.rate == 44100 and SONG.names == ("drums", "bass", "guitar", "vocals")
    assert isinstance(SONG.mixture, jax.Array) and isinstance(SONG.sources, jax.Array)
    assert SONG.mixture.dtype == SONG.sources.dtype == np.float32
    assert SONG.sources.shape == (4, *SONG.mixture.shape) and SONG.mixture.shape[0] == 2
    assert 20 <= SONG.mixture.shape[1] / SONG.rate <= 30


def test_mixture_is_exactly_the_sum():
    np.testing.assert_array_equal(SONG.mixture, SONG.sources.sum(axis=0))
    assert 0.5 < np.abs(SONG.mixture).max() < 1


def test_parts():
    learn, judge = ds.data.example("learn"), ds.data.example("judge")
    for part in (learn, judge):
        assert part.names == SONG.names and 10 <= part.mixture.shape[1] / part.rate <= 15
    np.testing.assert_array_equal(np.concatenate([learn.sources, judge.sources], axis=-1), SONG.sources)
    np.testing.assert_array_equal(np.concatenate([learn.mixture, judge.mixture], axis=-1), SONG.mixture)
    with pytest.raises(ValueError, match="all, learn, judge"):
        ds.data.example("test")


def loudness(audio, milliseconds):
    """RMS in dB of successive stretches of (channels, samples)."""
    size = SONG.rate * milliseconds // 1000
    frames = audio[:, : audio.shape[1] // size * size].reshape(len(audio), -1, size)
    return 10 * np.log10((frames**2).mean(axis=(0, 2)) + 1e-12)


@pytest.mark.parametrize("index", range(4), ids=SONG.names)
def test_stems_are_balanced_and_never_silent_for_long(index):
    audio = np.asarray(SONG.sources[index])
    whole = loudness(np.asarray(SONG.sources).reshape(-1, SONG.sources.shape[-1]), 25_000)[0]
    quarters = [10 * np.log10((part**2).mean()) for part in np.split(audio, 4, axis=1)]
    assert np.abs(np.array(quarters) - whole).max() < 3
    quiet = loudness(audio, 10) < whole - 30
    longest = max(map(len, "".join("x" if frame else " " for frame in quiet).split()), default=0)
    assert longest < 150  # 1.5 s


def test_stems_differ_and_nothing_recurs():
    """No two stems go together, and no bar of a stem is a copy of another."""
    sources = np.asarray(SONG.sources).mean(axis=1)
    assert np.abs(np.corrcoef(sources) - np.eye(4)).max() < 0.15
    bars = sources.reshape(4, 16, -1)
    for stem in bars:
        assert np.abs(np.corrcoef(stem) - np.eye(16)).max() < 0.99


def test_two_sides_of_each_stem_but_the_bass_differ():
    sides = np.asarray(SONG.sources[:, 0] - SONG.sources[:, 1]).std(axis=-1)
    middles = np.asarray(SONG.sources[:, 0] + SONG.sources[:, 1]).std(axis=-1)
    assert np.all((sides / middles)[[0, 2, 3]] > 0.05)


def test_files():
    files = {path.name for path in FOLDER.iterdir()}
    assert files == {"LICENSE.txt", *(f"{name}.flac" for name in SONG.names)}
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 6e6
    notice = (FOLDER / "LICENSE.txt").read_text()
    assert "CC0 1.0" in notice and "sonic-pi-samples" in notice


def test_licence_names_every_sample():
    notice = (FOLDER / "LICENSE.txt").read_text()
    script = (FOLDER.parent / "arrange_example.py").read_text()
    quoted = script.split('"')[1::2]
    used = {text for text in quoted if text.startswith(("drum_", "bass_", "guit_", "ambi_"))}
    listed = {line.split()[0] for line in notice.splitlines() if line.startswith("  ")}
    assert len(used) == 14 and used == listed
