import signal
import sys
import time

import numpy as np
import pytest
import soundfile

from dsp_sep.pytree import save
from dsp_sep.transforms import STFT

from .conftest import RATE, files, finish, start


def refused(outcome) -> str:
    assert outcome.code == 2, outcome.stderr
    return outcome.complaint


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["seperate"], "No such command 'seperate'"),
        (["separate"], "Missing argument 'INPUT...'"),
        (["separate", "song.wav"], "Missing option '--out'"),
        (["separate", "song.wav", "--out", "o", "--metod", "blind"], "--method"),
        (["separate", "song.wav", "--out", "o", "--method", "harmonic"], "choose harmonic-percussive"),
        (
            ["separate", "song.wav", "--out", "o", "--method", "xyz"],
            "percussive or voice or blind or supervised",
        ),
        (["separate", "song.wav", "--out", "o", "--method", "supervised"], "needs --model FILE"),
        (["separate", "song.wav", "--out", "o", "--method", "blind", "--model", "m"], "leave it out"),
        (["separate", "song.wav", "--out", "o", "--sources", "3"], "--method blind"),
        (["separate", "song.wav", "--out", "o", "--method", "blind", "--sources", "0"], "--sources"),
        (["separate", "song.wav", "--out", "o", "--format", "mp4"], "wav or flac"),
        (["separate", "song.wav", "--out", "o", "--refine", "2"], "song.wav has one channel: --refine"),
    ],
)
def test_wrong_usage(ask, song, arguments, expected):
    assert expected in refused(ask(*arguments))
    assert files(song.parent) == {"song.wav"}


@pytest.fixture
def bad(tmp_path, audio):
    """Files that cannot be separated, by what is wrong with them."""
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("This is not audio.\n" * 100)
    (tmp_path / "folder.wav").mkdir()
    mixture = audio(4)
    mixture[3 * RATE] = np.nan
    soundfile.write(tmp_path / "nan.wav", mixture, RATE, subtype="FLOAT")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("missing.wav", "no such file"),
        ("empty.wav", "is empty"),
        ("text.wav", "not audio"),
        ("folder.wav", "is a folder"),
        ("nan.wav", "3.000 s"),
    ],
)
def test_bad_input(ask, bad, name, expected):
    before = files(bad)
    complaint = refused(ask("separate", name, "--out", "new/stems"))
    assert name in complaint and expected in complaint
    assert files(bad) == before
    assert not (bad / "new").exists()


def test_one_bad_input_among_several_is_found_before_the_work_begins(ask, bad, song):
    assert "text.wav" in refused(ask("separate", "song.wav", "text.wav", "--out", "stems"))
    assert not (bad / "stems").exists()


def test_folder_that_cannot_be_made(ask, song):
    complaint = refused(ask("separate", "song.wav", "--out", "song.wav/stems"))
    assert "song.wav/stems/song cannot be made" in complaint and "choose another --out" in complaint


def test_output_that_exists(ask, song):
    target = song.parent / "stems" / "song" / "percussive.wav"
    target.parent.mkdir(parents=True)
    target.write_text("precious")
    complaint = refused(ask("separate", "song.wav", "--out", "stems"))
    assert "percussive.wav exists" in complaint and "--overwrite" in complaint
    assert target.read_text() == "precious"


def test_inputs_of_one_name(ask, song):
    soundfile.write(song.with_suffix(".flac"), *soundfile.read(song))
    assert "song.wav and song.flac" in refused(ask("separate", "song.wav", "song.flac", "--out", "stems"))


def test_an_input_is_not_overwritten(ask, song):
    original = song.parent / "song" / "harmonic.wav"
    original.parent.mkdir()
    original.write_bytes(song.read_bytes())
    complaint = refused(ask("separate", "song.wav", "song/harmonic.wav", "--out", ".", "--overwrite"))
    assert "song/harmonic.wav is an input" in complaint
    assert original.read_bytes() == song.read_bytes()


@pytest.mark.parametrize("model", ["missing.npz", "song.wav", "stft.npz"])
def test_file_that_is_no_model(ask, song, model):
    save(song.parent / "stft.npz", STFT(n_fft=64, hop=16))
    assert model in refused(ask("separate", "song.wav", "--out", "stems", "--model", model))
    assert not (song.parent / "stems").exists()


def test_disk_full(run, song):
    limited = (
        "import os, resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))\n"
        "os.execv(sys.executable, sys.argv[1:])"
    )
    outcome = run("separate", "song.wav", "--out", "new/stems", through=[sys.executable, "-c", limited])
    assert "disk full" in refused(outcome)
    assert files(song.parent) == {"song.wav"}
    assert not (song.parent / "new").exists()


@pytest.mark.thorough
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_while_writing(tmp_path, audio, number):
    soundfile.write(tmp_path / "long.wav", np.tile(audio(60), (20, 1)), RATE)
    process = start("separate", "long.wav", "--out", "new/stems", cwd=tmp_path)
    wait_for(lambda: any(part.stat().st_size > 10_000 for part in tmp_path.rglob(".*.part")), process)
    process.send_signal(number)
    outcome = finish(process)
    assert outcome.code == 130
    assert outcome.stderr.strip() == "dsp-sep: interrupted: nothing was left half-written"
    assert files(tmp_path) == {"long.wav"}
    assert not (tmp_path / "new").exists()


def wait_for(condition, process):
    for _ in range(600):
        assert process.poll() is None, "the process ended before it could be interrupted"
        if condition():
            return
        time.sleep(0.1)
    process.kill()
    raise AssertionError("the process never came so far")
