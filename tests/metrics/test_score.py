"""A song scored from folders and from arrays, as museval has it."""

import json
from pathlib import Path

import jax
import numpy as np
import pytest
import soundfile

from dsp_sep.data import AudioError
from dsp_sep.metrics import bss_eval_images, score, usdr

from .signals import RATE, song, with_silence

GOLDEN = np.load(Path(__file__).with_name("golden.npz"))
NAMES = ("bass", "drums", "guitar", "vocals")
MEASURES = ("SDR", "ISR", "SIR", "SAR")


def write(folder, sources, names=NAMES, rate=RATE, suffix="wav"):
    folder.mkdir(exist_ok=True)
    for name, source in zip(names, sources, strict=True):
        options = {"subtype": "DOUBLE"} if suffix == "wav" else {}
        soundfile.write(folder / f"{name}.{suffix}", source.T, rate, **options)
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("song")
    reference, estimate = song()
    write(root / "true", reference)
    soundfile.write(root / "true" / "mixture.wav", reference.sum(axis=0).T, RATE)
    return root / "true", write(root / "found", estimate)


@pytest.mark.parametrize("kind", ["folders", "arrays"])
def test_frames_and_medians_as_museval(kind, folders):
    parts = []
    if kind == "folders":
        scores = score(*folders, progress=parts.append)
        assert scores.names == NAMES
    else:
        scores = score(*song(), rate=RATE, names=NAMES, progress=parts.append)
    for name in MEASURES:
        expected = GOLDEN[f"museval/song/{name.lower()}"]
        assert scores.frames[name].dtype == np.float64
        np.testing.assert_allclose(scores.frames[name], expected, atol=1e-5 if kind == "folders" else 1e-7)
        for k, stem in enumerate(NAMES):
            np.testing.assert_allclose(scores.median()[stem][name], np.median(expected[k]), atol=1e-5)
            np.testing.assert_allclose(scores.mean()[stem][name], np.mean(expected[k]), atol=1e-5)
    np.testing.assert_allclose(scores.usdr, usdr(*(signal.astype(np.float32) for signal in song())), atol=1e-3)
    assert parts == sorted(parts) and parts[-1] == 1.0
    assert not jax.config.jax_enable_x64


def test_silence_as_museval():
    scores = score(*with_silence(*song()), rate=RATE)
    for name in MEASURES:
        np.testing.assert_allclose(scores.frames[name], GOLDEN[f"museval/silence/{name.lower()}"], atol=1e-7)
    assert scores.median()["source 1"]["SDR"] == scores.frames["SDR"][1, 0]


@pytest.mark.parametrize("silent", [pytest.param(0, marks=pytest.mark.thorough), 1])
def test_a_stem_that_is_silent_throughout_does_not_count(silent):
    signals = list(song(1.0))
    signals[silent] = signals[silent].copy()
    signals[silent][2] = 0
    scores = score(*signals, rate=RATE, window=0.5)
    for values in scores.frames.values():
        assert np.isnan(values).all(axis=1).tolist() == [False, False, True, False]
    assert np.isnan(scores.median()["source 2"]["SDR"])
    kept = [0, 1, 3]
    if silent == 0:
        others = bss_eval_images(*(signal[kept].astype(np.float32) for signal in signals), window=RATE // 2)
        for name in MEASURES:
            np.testing.assert_allclose(scores.frames[name][kept], getattr(others, name.lower()), atol=1e-4)


@pytest.mark.thorough
def test_windows_hops_and_filters():
    signals = [signal.astype(np.float32) for signal in song(1.0)]
    scores = score(*signals, rate=RATE, window=0.4, hop=0.3, filters="frame")
    expected = bss_eval_images(*signals, window=int(0.4 * RATE), hop=int(0.3 * RATE), filters="frame")
    for name in MEASURES:
        np.testing.assert_allclose(scores.frames[name], getattr(expected, name.lower()), atol=1e-4)
    whole = score(*signals, rate=RATE, window=60)
    for name in MEASURES:
        assert whole.frames[name].shape == (4, 1)
        np.testing.assert_allclose(
            whole.frames[name][:, 0], getattr(bss_eval_images(*signals), name.lower()), atol=1e-4
        )


def test_json_as_museval_reads_it(tmp_path):
    reference, estimate = song(1.0)
    estimate[0, :, : RATE // 2] = reference[0, :, : RATE // 2]
    scores = score(reference, estimate, rate=RATE, names=NAMES, window=0.5, hop=0.25)
    scores.save(tmp_path / "song.json")
    stored = json.loads((tmp_path / "song.json").read_text())
    assert [target["name"] for target in stored["targets"]] == list(NAMES)
    frames = stored["targets"][1]["frames"]
    assert [frame["time"] for frame in frames] == [0, 0.25, 0.5] and {frame["duration"] for frame in frames} == {0.5}
    assert frames[2]["metrics"] == {name: round(scores.frames[name][1, 2], 5) for name in MEASURES}
    assert scores.frames["SDR"][0, 0] == np.inf and np.isnan(stored["targets"][0]["frames"][0]["metrics"]["SDR"])
    assert scores.median()["bass"]["SDR"] == np.median(scores.frames["SDR"][0, 1:])
    assert [path.name for path in tmp_path.iterdir()] == ["song.json"]


def test_refuses_arrays_that_cannot_be_meant():
    reference, estimate = song(0.1)
    with pytest.raises(ValueError, match="rate in Hz"):
        score(reference, estimate)
    with pytest.raises(ValueError, match="one shape"):
        score(reference, estimate[..., :-1], rate=RATE)
    with pytest.raises(ValueError, match="swapped"):
        score(reference.swapaxes(1, 2), estimate.swapaxes(1, 2), rate=RATE)
    with pytest.raises(ValueError, match="4 names"):
        score(reference, estimate, rate=RATE, names=NAMES[:3])
    with pytest.raises(ValueError, match="at least a sample"):
        score(reference, estimate, rate=RATE, window=1e-6)
    with pytest.raises(ValueError, match="one of each"):
        score("folder", estimate)
    with pytest.raises(ValueError, match="are for arrays"):
        score("folder", "other", rate=RATE)


def test_refuses_folders_that_do_not_match(tmp_path):
    short = np.zeros((2, 2, 800)) + 0.1
    true = write(tmp_path / "true", short, NAMES[:2])
    cases = {
        "no such folder": tmp_path / "nowhere",
        "not a folder": true / "bass.wav",
        "has no drums, which": write(tmp_path / "fewer", short[:1], NAMES[:1]),
        "has no guitar, which": write(tmp_path / "more", short[[0, 1, 0]], NAMES[:3]),
        "700 samples but .* has 800: they must match": write(tmp_path / "length", short[..., :700], NAMES[:2]),
        "8000 Hz but .* has 44100: they must match": write(tmp_path / "rate", short, NAMES[:2], rate=8000),
        "1 channels but .* has 2: they must match": write(tmp_path / "mono", short[:, :1], NAMES[:2]),
    }
    for message, folder in cases.items():
        with pytest.raises(AudioError, match=message):
            score(true, folder)
    write(true, short[:1], NAMES[:1], suffix="flac")
    with pytest.raises(AudioError, match=r"both bass.flac and bass.wav"):
        score(true, true)
    (tmp_path / "empty").mkdir()
    with pytest.raises(AudioError, match="no stems"):
        score(tmp_path / "empty", tmp_path / "empty")
