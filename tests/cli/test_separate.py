import jax.numpy as jnp
import numpy as np
import pytest
import soundfile

from dsp_sep.pytree import save
from dsp_sep.separators import classic, stft_for

from .conftest import RATE, files


def read(path):
    audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return audio, rate


def total(folder, extension="wav"):
    return sum(read(path)[0] for path in folder.glob(f"*.{extension}"))


def test_several_files_in_one_go(run, song, tmp_path, audio):
    soundfile.write(tmp_path / "other.ogg", audio(0.5, channels=3), RATE)
    outcome = run("separate", "song.wav", "other.ogg", "--out", "deep/stems")
    assert outcome.code == 0 and outcome.stderr == ""
    assert files(tmp_path / "deep/stems") == {
        f"{song}/{stem}.wav" for song in ("song", "other") for stem in ("harmonic", "percussive")
    }
    for name in ("song.wav", "other.ogg"):
        mixture, rate = read(tmp_path / name)
        stems = tmp_path / "deep/stems" / name.partition(".")[0]
        np.testing.assert_allclose(total(stems), mixture, rtol=0, atol=1e-6)
        assert soundfile.info(stems / "harmonic.wav").samplerate == rate
    for word in ("song.wav", "other.ogg", "harmonic", "percussive", "mixture", "sum - mixture"):
        assert word in outcome.stdout


@pytest.mark.thorough
def test_levels_in_the_table_are_those_of_the_files(run, song, tmp_path):
    rows = run("separate", "song.wav", "--out", "stems").stdout.splitlines()
    for stem in ("harmonic", "percussive"):
        (row,) = [row for row in rows if stem in row]
        level = 10 * np.log10(np.mean(read(tmp_path / "stems/song" / f"{stem}.wav")[0] ** 2))
        assert float(row.split("│")[3]) == pytest.approx(level, abs=0.06)
    (row,) = [row for row in rows if "sum - mixture" in row]
    assert float(row.split("│")[3]) < -120


@pytest.mark.thorough
def test_blind_as_flac_in_place_of_what_is_there(run, song, tmp_path):
    (tmp_path / "stems/song").mkdir(parents=True)
    (tmp_path / "stems/song/source_2.flac").write_text("old")
    arguments = ("--method", "blind", "--sources", "3", "--format", "flac", "--overwrite")
    assert run("separate", "song.wav", "--out", "stems", *arguments).code == 0
    stems = tmp_path / "stems/song"
    assert files(stems) == {"source_1.flac", "source_2.flac", "source_3.flac"}
    np.testing.assert_allclose(total(stems, "flac"), read(song)[0], rtol=0, atol=1e-6)


@pytest.mark.thorough
def test_a_model_made_for_another_rate(run, tmp_path, audio):
    stft = stft_for(16000)
    low = jnp.exp(-((jnp.linspace(0, 1, stft.bins) / 0.1) ** 2))
    save(
        tmp_path / "model.npz",
        classic(stft, jnp.stack([low, 1 - low])[..., None], names=("low", "high"), rate=16000, iterations=3),
    )
    soundfile.write(tmp_path / "song.wav", audio(1, channels=2), RATE)
    assert run("separate", "song.wav", "--out", "stems", "--model", "model.npz").code == 0
    stems = tmp_path / "stems/song"
    assert files(stems) == {"low.wav", "high.wav"}
    np.testing.assert_allclose(total(stems), read(tmp_path / "song.wav")[0], rtol=0, atol=1e-6)
    assert np.square(read(stems / "low.wav")[0]).mean() > np.square(read(stems / "high.wav")[0]).mean()


@pytest.mark.thorough
def test_refined_stems_keep_to_their_places(run, tmp_path):
    time = np.arange(2 * RATE) / RATE
    tone = sum(0.04 * np.sin(2 * np.pi * f * time + f) for f in range(220, 3900, 220))
    clicks = 0.3 * np.random.default_rng(0).normal(size=time.size) * (np.arange(time.size) % 1000 < 60)
    soundfile.write(tmp_path / "song.wav", np.stack([tone + 0.3 * clicks, 0.4 * tone + clicks], -1), RATE, "FLOAT")
    assert run("separate", "song.wav", "--out", "stems", "--refine", "2").code == 0
    stems = tmp_path / "stems/song"
    assert files(stems) == {"harmonic.wav", "percussive.wav"}
    np.testing.assert_allclose(total(stems), read(tmp_path / "song.wav")[0], rtol=0, atol=1e-6)
    right = read(stems / "harmonic.wav")[0][:, 1]
    assert 10 * np.log10(np.sum((0.4 * tone) ** 2) / np.sum((right - 0.4 * tone) ** 2)) > 15  # 9 unrefined
