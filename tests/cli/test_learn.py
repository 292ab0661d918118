"""`dsp-sep learn`, `evaluate` and `separate --model` on songs of noises; configs that are wrong."""

import json

import click
import numpy as np
import pytest
import soundfile

from dsp_sep.cli.config import read_config
from dsp_sep.data import Part
from dsp_sep.metrics import median_sdr, si_sdr, usdr
from dsp_sep.separators import Chunked, evaluate_song, summary
from dsp_sep.separators.protocol import Separator

from .conftest import RATE

CONFIG = """
[model]
stems = ["low", "high"]
rate = 8000
n_fft = 256
components = 4
dictionary_steps = 20
dictionary_excerpts = 2
iterations = 3
inversions = 1
[data]
train = "songs"
validation = "songs"
seconds = 0.5
mix = 0.5
gain = [-3, 3]
[training]
steps = 6
batch = 2
accumulate = 2
validate = 3
checkpoint = 2
"""


@pytest.fixture
def songs(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("one", "two"):
        folder = tmp_path / "songs" / name
        folder.mkdir(parents=True)
        low = np.cumsum(rng.standard_normal((2 * RATE, 2)), 0)
        soundfile.write(folder / "low.wav", 0.3 * low / np.abs(low).max(), RATE, subtype="FLOAT")
        soundfile.write(
            folder / "high.wav", 0.1 * rng.standard_normal((2 * RATE, 2)).clip(-3, 3), RATE, subtype="FLOAT"
        )
    (tmp_path / "config.toml").write_text(CONFIG)
    return tmp_path


@pytest.mark.thorough
def test_learn_evaluate_separate(songs, run):
    outcome = run("learn", "config.toml", "--out", "made")
    assert outcome.code == 0, outcome.stderr
    assert "dB SDR on the songs for validation" in outcome.stdout
    manifest = json.loads((songs / "made" / "manifest.json").read_text())
    assert manifest["settings"]["model"]["stems"] == ["low", "high"] and manifest["steps"] == 6

    (songs / "config.toml").unlink()  # the model is whole without it
    outcome = run("evaluate", "made/model.npz", "songs", "--json", "scores.json")
    assert outcome.code == 0, outcome.stderr
    assert "low" in outcome.stdout and "median (mean) over 2 songs" in outcome.stdout
    scores = json.loads((songs / "scores.json").read_text())
    assert set(scores["songs"]) == {"one", "two"}
    each = [scores["songs"][song]["low"]["SDR"] for song in ("one", "two")]
    assert scores["mean"]["low"]["SDR"] == pytest.approx(np.mean(each)) and min(each) > 3

    outcome = run("separate", "songs/one/low.wav", "--model", "made/model.npz", "--out", "stems")
    assert outcome.code == 0, outcome.stderr
    assert {path.name for path in (songs / "stems" / "low").iterdir()} == {"low.wav", "high.wav"}

    (songs / "config.toml").write_text(CONFIG.replace("gain = [-3, 3]", "gain = [-2, 2]"))
    outcome = run("learn", "config.toml", "--out", "made")
    assert outcome.code == 2 and "made was begun with another data.gain" in outcome.complaint


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("[training]", "[trainnig]", "there is no section named 'trainnig'; the nearest is 'training'"),
        ("batch = 2", "bach = 2", "there is no field of training named 'bach'; the nearest is 'batch'"),
        ('stems = ["low", "high"]', "", "model.stems is missing"),
        ("batch = 2", 'batch = "2"', "training.batch must be of type int, got '2'"),
        ("batch = 2", "batch = 0", "training.batch must be at least 1, got 0"),
        ("batch = 2", "batch = 3", "must be divisible by accumulate times devices"),
        ("batch = 2", 'batch = 2\nloss = "sdrr"', "there is no 'sdrr'; the nearest is 'sdr'"),
        ("gain = [-3, 3]", "gain = [1]", r"data.gain must be a list of 2, got \[1\]"),
        ("seconds = 0.5", "seconds = 0", "data.seconds must be above 0, got 0"),
        ("[model]", "[model", "is not TOML"),
    ],
)
def test_wrong_configs(tmp_path, old, new, expected):
    (tmp_path / "config.toml").write_text(CONFIG.replace(old, new))
    with pytest.raises(click.ClickException, match=expected):
        read_config(tmp_path / "config.toml")


def test_a_config_that_is_not_there(tmp_path):
    with pytest.raises(click.ClickException, match="No such file"):
        read_config(tmp_path / "none.toml")


class Halves(Separator):
    """Everything in equal parts, some of it lost."""

    names = ("high", "low")

    def __call__(self, mixture):
        return np.stack([0.5 * np.asarray(mixture), 0.4 * np.asarray(mixture)])


@pytest.mark.parametrize("advance", [3000, RATE])
def test_scores_in_pieces_are_the_measures(songs, advance):
    folder = songs / "songs" / "one"
    chunked = Chunked(Halves(), size=advance + 250, context=100, fade=50)
    found = evaluate_song(lambda file: chunked, Part(folder, start=0.25, stop=2.0), Halves.names)
    truth = np.stack([soundfile.read(folder / f"{name}.wav", dtype="float32")[0].T for name in Halves.names])
    truth = truth[..., RATE // 4 :]
    estimate = Halves()(truth.sum(0))
    expected = {
        "SDR": median_sdr(truth, estimate, RATE),
        "uSDR": usdr(truth, estimate),
        "SI-SDR": si_sdr(truth, estimate).mean(-1),
    }
    for measure, values in expected.items():
        np.testing.assert_allclose([found[name][measure] for name in Halves.names], values, atol=1e-3)
    both = summary({"one": found, "two": {name: dict.fromkeys(found[name], np.nan) for name in found}})
    assert both["mean"] == found
