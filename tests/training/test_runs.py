"""Runs as processes: the same bits twice and after a kill, one device or several, full disks, songs that break."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, str(Path(__file__).with_name("program.py"))]
STEPS = 40


def start(*arguments, devices=1, through=()):
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}",
        "JAX_PLATFORMS": "cpu",
    }
    command = [*through, *PROGRAM, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def finish(process):
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return output


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    folder = tmp_path_factory.mktemp("songs")
    rng = np.random.default_rng(0)
    for song in ("one", "two"):
        (folder / song).mkdir()
        low, high = np.cumsum(rng.standard_normal((4000, 2)), 0), rng.standard_normal((4000, 2))
        soundfile.write(folder / song / "a.wav", 0.5 * low / np.abs(low).max(), 8000)
        soundfile.write(folder / song / "b.wav", 0.2 * high / np.abs(high).max(), 8000)
    return folder


@pytest.fixture(scope="module")
def whole(material, tmp_path_factory):
    """A run that nothing interrupted."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    finish(start(folder, material, STEPS))
    return folder


def found(folder):
    with np.load(folder / "found.npz") as file:
        return dict(file)


def identical(folder, other):
    ours, theirs = found(folder), found(other)
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name])
    assert (folder / "history.jsonl").read_text() == (other / "history.jsonl").read_text()


def test_what_a_run_leaves(whole, material):
    history = [json.loads(line) for line in (whole / "history.jsonl").read_text().splitlines()]
    losses = [line["loss"] for line in history if "loss" in line]
    assert len(losses) == STEPS and np.mean(losses[-10:]) < np.mean(losses[:10]) - 1
    assert [line["after"] for line in history if "score" in line] == [7, 14, 21, 28, 35]
    np.testing.assert_array_equal(found(whole)["losses"], losses)
    manifest = json.loads((whole / "manifest.json").read_text())
    assert manifest["steps"] == STEPS and manifest["seed"] == 1 and len(manifest["data"]) == 64
    assert manifest["devices"] == ["cpu: cpu"] and manifest["versions"]["jax"]
    assert 0 < manifest["wall_seconds"] and manifest["energy"]["joules"] == 10 * manifest["cpu_seconds"] > 0
    assert [path.name for path in (whole / "checkpoints").iterdir()] == [str(STEPS)]


@pytest.mark.thorough
def test_same_seed_same_bits_killed_or_not(whole, material, tmp_path):
    rng, kills = np.random.default_rng(int.from_bytes(os.urandom(4))), 0
    for _ in range(int(os.environ.get("DSP_SEP_KILLS", "2"))):
        process = start(tmp_path / "run", material, STEPS)
        wanted = rng.integers(1, 14)
        for _ in range(wanted):
            if not process.stdout.readline():
                break
        process.send_signal(signal.SIGKILL)
        process.communicate()
        kills += process.returncode == -signal.SIGKILL
    finish(start(tmp_path / "run", material, STEPS))
    assert kills
    identical(tmp_path / "run", whole)


@pytest.mark.thorough
def test_devices_with_parts_and_processes_agree(whole, material, tmp_path):
    finish(start(tmp_path / "devices", material, STEPS, "--devices", 2, "--accumulate", 2, devices=2))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ranks = [start(tmp_path / "processes", material, STEPS, "--port", port, "--rank", rank) for rank in range(2)]
    for process in ranks:
        finish(process)
    expected = found(whole)
    for way in ("devices", "processes"):
        ours = found(tmp_path / way)
        np.testing.assert_allclose(ours["losses"], expected["losses"], rtol=1e-4, atol=1e-4, err_msg=way)
        np.testing.assert_allclose(ours["mask"], expected["mask"], rtol=1e-3, atol=1e-3, err_msg=way)


@pytest.mark.thorough
def test_a_song_that_breaks_and_a_full_disk_are_named_and_lose_nothing(whole, material, tmp_path):
    broken = material / "two" / "b.wav"
    intact = broken.read_bytes()
    process = start(tmp_path / "run", material, STEPS)
    try:
        for _ in range(5):
            process.stdout.readline()
        (tmp_path / "b.wav").write_bytes(b"no audio")
        os.replace(tmp_path / "b.wav", broken)
        _, errors = process.communicate(timeout=300)
    finally:
        broken.write_bytes(intact)
    assert process.returncode != 0 and f"{broken} is not audio" in errors
    limited = (
        "import os, resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))\n"
        "os.execv(sys.executable, sys.argv[1:])"
    )
    process = start(tmp_path / "run", material, STEPS, through=[sys.executable, "-c", limited])
    _, errors = process.communicate(timeout=300)
    assert process.returncode != 0
    assert "CheckpointError" in errors or "File too large" in errors
    assert str(tmp_path / "run") in errors
    finish(start(tmp_path / "run", material, STEPS))
    identical(tmp_path / "run", whole)
