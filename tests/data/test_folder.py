"""Songs in folders, and excerpts of songs."""

import numpy as np
import pytest

from dsp_sep.data import AudioError, Song, read_song, songs, write

RATE = 8000
STEMS = {"vocals": 1, "bass": 2, "drums": 3}


def stem(seed, samples=4000, channels=2):
    return np.random.default_rng(seed).uniform(-0.2, 0.2, (channels, samples)).astype(np.float32)


@pytest.fixture
def folder(tmp_path):
    song = tmp_path / "song"
    song.mkdir()
    for name, seed in STEMS.items():
        write(song / f"{name}.wav", stem(seed), RATE)
    (song / "notes.txt").write_text("not a stem")
    (song / "._bass.wav").write_text("not a stem")
    return song


def test_stems(folder):
    song = read_song(folder)
    assert song.names == ("bass", "drums", "vocals") and song.rate == RATE
    np.testing.assert_array_equal(song.sources, [stem(2), stem(3), stem(1)])
    np.testing.assert_array_equal(song.mixture, song.sources.sum(axis=0))


def test_mixture_is_read_where_there_is_one(folder):
    write(folder / "mixture.wav", stem(9), RATE)
    song = read_song(folder)
    assert song.names == ("bass", "drums", "vocals")
    np.testing.assert_array_equal(song.mixture, stem(9))


def test_names_part_and_rate(folder):
    song = read_song(folder, names=["vocals", "bass"], start=0.1, stop=0.35)
    assert song.names == ("vocals", "bass")
    np.testing.assert_array_equal(song.sources, np.stack([stem(1), stem(2)])[..., 800:2800])
    resampled = read_song(folder, rate=16000)
    assert resampled.rate == 16000 and resampled.sources.shape == (3, 2, 8000) and resampled.mixture.shape == (2, 8000)


def test_songs_are_listed_by_name(folder):
    (folder.parent / "empty").mkdir()
    other = folder.parent / "another"
    other.mkdir()
    write(other / "drums.flac", stem(0), RATE)
    assert [path.name for path in songs(folder.parent)] == ["another", "song"]
    with pytest.raises(AudioError, match="no song in it"):
        songs(folder.parent / "empty")
    with pytest.raises(AudioError, match="no such folder"):
        songs(folder / "nowhere")
    with pytest.raises(AudioError, match="not a folder"):
        songs(folder / "bass.wav")


@pytest.mark.parametrize(
    "audio, rate, message",
    [(stem(0), 16000, "16000 Hz"), (stem(0, 3999), RATE, "3999 samples"), (stem(0, channels=1), RATE, "1 channels")],
)
@pytest.mark.parametrize("name", ["piano.wav", "mixture.wav"])
def test_files_that_do_not_match(folder, audio, rate, message, name):
    write(folder / name, audio, rate)
    with pytest.raises(AudioError, match=rf"{name} has {message} but .*bass\.wav has"):
        read_song(folder)


def test_stems_that_are_not_there(folder):
    with pytest.raises(AudioError, match="no stem named guitar or flute: there are bass, drums, vocals"):
        read_song(folder, names=["guitar", "bass", "flute"])
    write(folder / "bass.flac", stem(0), RATE)
    with pytest.raises(AudioError, match=r"both bass\.flac and bass\.wav"):
        read_song(folder)
    with pytest.raises(AudioError, match="no stems"):
        read_song(folder.parent)


def test_excerpt_of_a_song():
    sources = np.stack([stem(1), stem(2)])
    song = Song(sources.sum(axis=0), sources, ("a", "b"), RATE)
    part = song.excerpt(0.25, 0.4)
    np.testing.assert_array_equal(part.sources, sources[..., 2000:3200])
    np.testing.assert_array_equal(part.mixture, song.mixture[..., 2000:3200])
    assert (part.names, part.rate) == (("a", "b"), RATE)
    assert song.excerpt(0.4, 9).mixture.shape == (2, 800)
    with pytest.raises(ValueError, match="nothing from"):
        song.excerpt(0.5, 0.6)


def test_song_whose_parts_do_not_fit():
    with pytest.raises(ValueError, match="expected a mixture"):
        Song(stem(1)[0], np.stack([stem(1)]), ("a",), RATE)
    with pytest.raises(ValueError, match="expected 1 names"):
        Song(stem(1), np.stack([stem(1)]), ("a", "b"), RATE)
