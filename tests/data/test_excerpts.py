"""Excerpts of songs on disk: what is in them, what decides their order, what is said of songs that cannot be read."""

import threading
import time

import numpy as np
import pytest
import soundfile

from dsp_sep import data
from dsp_sep.data import AudioError, Augmentation, Excerpts, Part, batches

RATE, NAMES = 8000, ("bass", "drums", "vocals")


@pytest.fixture
def root(tmp_path):
    """Three songs in which sample k of a stem says where it is from."""
    for song in range(3):
        folder = tmp_path / f"song{song}"
        folder.mkdir()
        for stem, name in enumerate(NAMES):
            ramp = (np.arange(4 * RATE) + 1) / 2**17 + (3 * song + stem) / 2
            soundfile.write(folder / f"{name}.wav", np.stack([ramp, ramp + 2**-20], 1), RATE, subtype="DOUBLE")
    return tmp_path


def origin(piece):
    """(song, stem, sample) of each sample of a channel."""
    which = np.floor(2 * piece[0]).astype(int)
    return which // 3, which % 3, np.round((piece[0] - which / 2) * 2**17) - 1


def excerpts(root, **options):
    options = {"names": NAMES, "seconds": 0.5, "rate": RATE, "seed": 3, **options}
    return Excerpts(data.songs(root), **options)


def test_plain_excerpts_are_pieces_of_one_song(root):
    plain, places = excerpts(root), set()
    for number in range(40):
        item = plain[number]
        assert item.shape == (3, 2, RATE // 2) and item.dtype == np.float32
        found = [origin(piece) for piece in item]
        song, _, sample = found[0]
        for stem, (s, t, k) in enumerate(found):
            assert np.all(s == song[0]) and np.all(t == stem)
            np.testing.assert_allclose(k, sample[0] + np.arange(RATE // 2), atol=1.1)
        places.add((int(song[0]), int(sample[0])))
    assert len(places) > 35 and {song for song, _ in places} == {0, 1, 2}


def test_mixed_excerpts_have_sources_of_other_songs(root):
    mixed = excerpts(root, augmentation=Augmentation(mix=1.0))
    songs = {tuple(int(origin(piece)[0][0]) for piece in mixed[k]) for k in range(60)}
    assert len(songs) > 15
    assert all(np.all(origin(piece)[1] == stem) for k in range(10) for stem, piece in enumerate(mixed[k]))


def test_gain_swap_and_flip(root):
    same = excerpts(root)[7]
    how = Augmentation(gain=(6.0, 6.0), swap=1.0, flip=1.0)
    np.testing.assert_allclose(excerpts(root, augmentation=how)[7], -same[:, ::-1] * 10**0.3, rtol=1e-6)
    half = excerpts(root, augmentation=Augmentation(gain=(-6.0, 6.0), flip=0.5))
    signs = np.asarray([np.sign(half[k][:, 0, 0]) for k in range(30)])
    assert 20 < (signs < 0).sum() < 70


@pytest.mark.parametrize(("rate", "speed"), [(16000, 1.0), (5512, 1.0), (RATE, 1.25)])
def test_resampled_to_the_rate_of_the_model(tmp_path, rate, speed):
    folder = tmp_path / "song"
    folder.mkdir()
    tone = np.sin(2 * np.pi * 300 * np.arange(4 * RATE) / RATE)
    soundfile.write(folder / "a.wav", tone, RATE, subtype="FLOAT")
    how = Augmentation(speed=(speed, speed))
    found = Excerpts([folder], names=["a"], seconds=0.5, rate=rate, seed=0, augmentation=how)
    for number in range(5):
        piece = found[number][0, 0]
        assert piece.shape == (round(0.5 * rate),)
        spectrum = np.abs(np.fft.rfft(piece * np.hanning(piece.size)))
        assert np.argmax(spectrum) / 0.5 == pytest.approx(300 * speed, abs=3)
        time_ = np.arange(piece.size) / rate
        basis = np.stack([np.cos(2 * np.pi * 300 * speed * time_), np.sin(2 * np.pi * 300 * speed * time_)], 1)
        rest = piece - basis @ np.linalg.lstsq(basis, piece, rcond=None)[0]
        assert np.abs(rest).max() < 2e-2  # the ends too: they are not those of a signal


def test_parts_of_songs(root):
    part = Part(root / "song1", start=1.0, stop=2.0)
    only = Excerpts([part], names=NAMES, seconds=0.5, rate=RATE, seed=0)
    starts = [origin(only[k][0])[2][0] for k in range(40)]
    assert RATE - 2 < min(starts) < max(starts) < 1.5 * RATE + 2


def test_order_does_not_depend_on_workers_or_where_it_begins(root):
    items = excerpts(root, augmentation=Augmentation(mix=0.5, gain=(-3, 3), swap=0.5, flip=0.5))
    expected = [np.stack([items[4 * k + j] for j in range(4)]) for k in range(3)]
    for workers in (1, 3):
        np.testing.assert_array_equal(list(batches(items, 4, count=3, workers=workers)), expected)
    np.testing.assert_array_equal(list(batches(items, 4, first=1, count=2)), expected[1:])
    halves = [np.stack(list(batches(items, 4, count=3, share=(k, 2)))) for k in range(2)]
    np.testing.assert_array_equal(np.concatenate(halves, axis=1), expected)
    assert not np.array_equal(excerpts(root, seed=4)[0], excerpts(root)[0])
    with pytest.raises(ValueError, match="size must be a positive multiple of 2"):
        next(batches(items, 3, share=(0, 2)))


def test_loading_overlaps_computing():
    class Slow:
        def __init__(self):
            self.threads = set()

        def __getitem__(self, number):
            self.threads.add(threading.get_ident())
            time.sleep(0.05)
            return np.full(1, number)

    slow, begin = Slow(), time.perf_counter()
    for _ in batches(slow, 2, count=8):
        time.sleep(0.05)
    assert time.perf_counter() - begin < 1.1  # one after the other they would take 1.2 s
    assert threading.get_ident() not in slow.threads


def test_songs_that_cannot_be_used_are_named(root):
    (root / "song1" / "drums.wav").unlink()
    with pytest.raises(AudioError, match=r"song1 has no stem named drums"):
        excerpts(root)
    with pytest.raises(AudioError, match=r"song0 lasts 4.000 s: shorter than an excerpt of 5"):
        excerpts(root, names=("bass",), seconds=5)
    broken = root / "song2" / "bass.wav"
    broken.write_bytes(broken.read_bytes()[:2000])
    with pytest.raises(AudioError, match=r"song2"):
        excerpts(root, names=("bass", "vocals"))


def test_a_song_that_breaks_while_it_is_read_is_named(root):
    items = excerpts(root)
    for song in range(3):
        (root / f"song{song}" / "vocals.wav").write_bytes(b"not audio at all")
    with pytest.raises(AudioError, match=r"song\d/vocals.wav is not audio"):
        next(batches(items, 2))


def test_digest_tells_data_apart(root):
    before = excerpts(root).digest()
    assert before == excerpts(root).digest()
    audio, rate = soundfile.read(root / "song0" / "bass.wav")
    soundfile.write(root / "song0" / "bass.wav", audio * 0.5, rate, subtype="DOUBLE")
    assert before != excerpts(root).digest()


def test_augmentation_refuses():
    with pytest.raises(ValueError, match="mix must be a probability, got 2"):
        Augmentation(mix=2)
    with pytest.raises(ValueError, match="gain must be two numbers in order"):
        Augmentation(gain=(3, -3))
    with pytest.raises(ValueError, match="speed must be two positive numbers"):
        Augmentation(speed=(0, 1))
