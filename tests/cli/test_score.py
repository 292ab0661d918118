import json

import numpy as np
import pytest
import soundfile

from .conftest import RATE, files


@pytest.fixture
def stems(tmp_path, audio):
    """Two folders: true stems and estimates of them."""
    tone, other = audio(2.5, 2), np.random.default_rng(1).normal(size=(round(2.5 * RATE), 2)) * 0.1
    for folder, leakage in (("true", 0.0), ("found", 0.1)):
        (tmp_path / folder).mkdir()
        soundfile.write(tmp_path / folder / "tone.wav", tone + leakage * other, RATE, subtype="FLOAT")
        soundfile.write(tmp_path / folder / "other.wav", other + leakage * tone, RATE, subtype="FLOAT")
    soundfile.write(tmp_path / "true" / "mixture.wav", tone + other, RATE, subtype="FLOAT")
    return tmp_path


@pytest.mark.thorough
def test_scores(run, stems):
    outcome = run("score", "true", "found", "--json", "song.json")
    assert outcome.code == 0 and outcome.stderr == ""
    for word in ("stem", "SDR", "ISR", "SIR", "SAR", "uSDR", "tone", "other", "2 frames of 1 s"):
        assert word in outcome.stdout
    targets = json.loads((stems / "song.json").read_text())["targets"]
    assert [target["name"] for target in targets] == ["other", "tone"]
    median = np.median([frame["metrics"]["SDR"] for frame in targets[1]["frames"]])
    assert f"{median:.2f}" in outcome.stdout


def test_what_cannot_be_scored(ask, stems):
    before = files(stems)
    (stems / "nothing").mkdir()
    soundfile.write(stems / "found" / "extra.wav", np.full((100, 1), 0.1), RATE)
    cases = (
        (["true"], "Missing argument 'ESTIMATE_DIR'"),
        (["true", "nowhere"], "nowhere: no such folder"),
        (["true", "nothing"], "nothing has no other and no tone, which true has"),
        (["true", "found"], "true has no extra, which found has"),
        (["true", "true", "--window", "0"], "--window"),
        (["true", "true", "--window", "1e-9"], "at least a sample"),
        (["true", "true", "--json", "nowhere/song.json"], "nowhere is not a folder"),
        (["true", "true", "--json", "true/tone.wav"], "true/tone.wav exists: choose another --json"),
    )
    for arguments, message in cases:
        outcome = ask("score", *arguments)
        assert outcome.code == 2 and message in outcome.complaint
    assert files(stems) == before | {"found/extra.wav"}


@pytest.mark.parametrize(
    ("channels", "rate", "samples", "message"),
    [(1, RATE, None, "1 channels"), (2, 2 * RATE, None, "16000 Hz"), (2, RATE, 500, "500 samples")],
)
def test_files_that_do_not_match(ask, stems, channels, rate, samples, message):
    signal, _ = soundfile.read(stems / "true" / "tone.wav")
    soundfile.write(stems / "found" / "tone.wav", signal[:samples, :channels], rate)
    outcome = ask("score", "true", "found")
    assert outcome.code == 2
    assert "found/tone.wav" in outcome.complaint and message in outcome.complaint
