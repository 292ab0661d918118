"""Whole files: round trips in every format, parts, rates, and every error a user can meet."""

import numpy as np
import pytest
import soundfile

from dsp_sep.data import AudioError, read, resample, write

RATE = 22050


def tones(channels=2, samples=5000, rate=RATE, dtype=np.float32):
    time = np.arange(samples) / rate
    return np.stack([0.5 * np.sin(2 * np.pi * 220 * (1 + c) * time + c) for c in range(channels)]).astype(dtype)


@pytest.mark.parametrize("extension", ["wav", "w64", "aif", "aiff", "WAV"])
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_floating_point_formats_keep_every_bit(tmp_path, extension, channels):
    audio = 3 * tones(channels)  # beyond full scale
    path = tmp_path / f"a.{extension}"
    write(path, audio, RATE)
    back, rate = read(path)
    assert rate == RATE and back.dtype == np.float32
    np.testing.assert_array_equal(back, audio)


@pytest.mark.parametrize("name, tolerance", [("a.flac", 2**-23), ("a.ogg", 0.03), ("a.mp3", 0.03)])
def test_other_formats(tmp_path, name, tolerance):
    audio = tones(samples=RATE)
    write(tmp_path / name, audio, RATE)
    back, rate = read(tmp_path / name)
    assert rate == RATE and back.shape == audio.shape
    assert np.abs(back - audio)[:, 2000:-2000].max() <= tolerance


@pytest.mark.parametrize("bits", [16, 24])
@pytest.mark.parametrize("extension", ["wav", "flac"])
def test_integers_survive(tmp_path, bits, extension):
    steps = np.random.default_rng(0).integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (3000, 2), dtype=np.int32)
    steps[:2] = [[-(2 ** (bits - 1))], [2 ** (bits - 1) - 1]]
    steps <<= 32 - bits
    first, second = tmp_path / f"a.{extension}", tmp_path / f"b.{extension}"
    soundfile.write(first, steps, RATE, subtype=f"PCM_{bits}")
    audio, rate = read(first)
    write(second, audio, rate, subtype=f"PCM_{bits}")
    np.testing.assert_array_equal(soundfile.read(second, dtype="int32")[0], steps)


def test_part_of_a_file(tmp_path):
    audio = tones(samples=RATE)
    write(tmp_path / "a.wav", audio, RATE)
    part, _ = read(tmp_path / "a.wav", start=0.25, stop=0.5)
    np.testing.assert_array_equal(part, audio[:, round(0.25 * RATE) : round(0.5 * RATE)])
    end, _ = read(tmp_path / "a.wav", start=0.9, stop=7.0)
    np.testing.assert_array_equal(end, audio[:, round(0.9 * RATE) :])


@pytest.mark.parametrize("start, stop", [(1.0, None), (0.5, 0.5), (0.5, 0.2), (-0.1, 0.5)])
def test_part_that_is_not_there(tmp_path, start, stop):
    write(tmp_path / "a.wav", tones(samples=RATE), RATE)
    with pytest.raises(AudioError, match=r"a\.wav lasts 1\.000 s: there is nothing to read"):
        read(tmp_path / "a.wav", start=start, stop=stop)


@pytest.mark.parametrize("target", [16000, 44100, 48000])
def test_resampled(tmp_path, target):
    write(tmp_path / "a.wav", tones(samples=RATE), RATE)
    audio, rate = read(tmp_path / "a.wav", rate=target)
    assert rate == target and audio.shape == (2, target)
    expected = tones(samples=target, rate=target)
    assert np.abs(audio - expected)[:, 500:-500].max() < 1e-4


def test_resample_keeps_batch_axes_and_dtype():
    audio = np.stack([tones(dtype=np.float64), 2 * tones(dtype=np.float64)])
    there = resample(audio, RATE, 2 * RATE)
    assert there.shape == (2, 2, 10000) and there.dtype == np.float64
    np.testing.assert_allclose(there[1], 2 * there[0], atol=1e-12)
    np.testing.assert_array_equal(resample(there[0, 0], RATE, RATE), there[0, 0])
    back = resample(there, 2 * RATE, RATE)
    assert np.abs(back - audio)[..., 200:-200].max() < 1e-5
    with pytest.raises(ValueError, match="positive rates"):
        resample(audio, 0, RATE)


def test_bad_input_is_refused_in_one_line(tmp_path):
    (tmp_path / "text.wav").write_text("this is no audio, whatever its name says")
    (tmp_path / "nothing.wav").touch()
    (tmp_path / "headerless.raw").write_bytes(bytes(1000))
    soundfile.write(tmp_path / "short.wav", np.zeros((0, 2)), RATE)
    nan = tones()
    nan[1, 2205] = np.nan
    soundfile.write(tmp_path / "nan.wav", nan.T, RATE, subtype="FLOAT")
    expected = {
        "missing.wav": "no such file",
        ".": "is a folder",
        "text.wav": "is not audio",
        "nothing.wav": "is empty",
        "headerless.raw": "is not audio",
        "short.wav": "is empty",
        "nan.wav": "not finite numbers, first at 0.100 s",
    }
    for name, message in expected.items():
        with pytest.raises(AudioError) as caught:
            read(tmp_path / name)
        text = str(caught.value)
        assert message in text and str(tmp_path / name) in text and "\n" not in text


def test_damaged_file(tmp_path):
    noise = np.random.default_rng(0).uniform(-1, 1, (2, 60000)).astype(np.float32)
    path = tmp_path / "a.flac"
    write(path, noise, RATE)
    path.write_bytes(path.read_bytes()[:100_000])
    with pytest.raises(AudioError, match=r"a\.flac is damaged"):
        read(path)


def test_what_cannot_be_written(tmp_path):
    audio = tones()
    for path, message in {
        tmp_path / "a.xyz": "not an extension",
        tmp_path / "a": "not an extension",
        tmp_path / "no" / "a.wav": "there is no folder",
    }.items():
        with pytest.raises(AudioError, match=message):
            write(path, audio, RATE)
    bad = audio.copy()
    bad[0, 5] = np.inf
    for values, message in {
        "infinite": (bad, "not finite"),
        "flat": (audio[0], "channels, samples"),
        "empty": (audio[:, :0], "channels, samples"),
        "integers": (audio.astype(np.int16), "floats"),
    }.values():
        with pytest.raises(AudioError, match=message):
            write(tmp_path / "a.wav", values, RATE)
    with pytest.raises(AudioError, match="no subtype 'VORBIS'"):
        write(tmp_path / "a.wav", audio, RATE, subtype="VORBIS")
    with pytest.raises(AudioError, match="cannot write 9 channels"):
        write(tmp_path / "a.flac", tones(channels=9), RATE)
    with pytest.raises(AudioError, match=r"peak of 1\.500 would clip in PCM_24"):
        write(tmp_path / "a.flac", 3 * audio, RATE)
    (tmp_path / "folder.wav").mkdir()
    with pytest.raises(AudioError, match="is a folder"):
        write(tmp_path / "folder.wav", audio, RATE, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.wav"]


def test_existing_file_is_kept_unless_told(tmp_path):
    path = tmp_path / "a.wav"
    write(path, tones(), RATE)
    before = path.read_bytes()
    with pytest.raises(AudioError, match="exists"):
        write(path, 0.1 * tones(), RATE)
    assert path.read_bytes() == before
    write(path, 0.1 * tones(), RATE, overwrite=True)
    np.testing.assert_array_equal(read(path)[0], 0.1 * tones())
