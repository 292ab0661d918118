"""Files piece by piece: blocks that tile, files that appear whole or not at all, full disks."""

import os
import resource
import signal
import stat
import subprocess
import sys
import textwrap

import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep.data import AudioError, Reader, Writer, read, write, writers

RATE = 8000


def noise(samples, channels=2, seed=0):
    return np.random.default_rng(seed).uniform(-0.9, 0.9, (channels, samples)).astype(np.float32)


@pytest.fixture(params=["wav", "flac", "ogg", "mp3"])
def long_file(request, tmp_path):
    path = tmp_path / f"long.{request.param}"
    write(path, noise(20_011), RATE)
    return path


@pytest.mark.parametrize(
    "size, overlap", [(4096, 0), (4096, 1024), (1000, 999 - 300), (20_011, 5), (50_000, 0), (1, 0)]
)
def test_blocks_tile_the_file(tmp_path, size, overlap):
    audio = noise(20_011 if size > 1 else 50)
    write(tmp_path / "a.wav", audio, RATE)
    with Reader(tmp_path / "a.wav") as file:
        assert (file.rate, file.channels, file.samples) == (RATE, 2, audio.shape[1])
        blocks = list(file.blocks(size, overlap))
    for k, block in enumerate(blocks):
        start = k * (size - overlap)
        np.testing.assert_array_equal(block, audio[:, start : start + size])
    assert all(block.shape[1] == size for block in blocks[:-1])
    assert (len(blocks) - 1) * (size - overlap) + blocks[-1].shape[1] == audio.shape[1]


def test_pieces_are_those_of_the_whole(long_file):
    whole, _ = read(long_file)
    with Reader(long_file) as file:
        assert file.samples == whole.shape[1]
        joined = np.concatenate(list(file.blocks(3000)), axis=1)
        np.testing.assert_allclose(joined, whole, atol=1e-6)
        for start, count in ((12_345, 100), (17, 5000), (20_000, 500), (0, 10), (19_000, 30)):
            np.testing.assert_allclose(file.read(start, count), whole[:, start : start + count], atol=1e-6)
        with pytest.raises(AudioError, match="none to read"):
            file.read(20_012, 1)
        with pytest.raises(ValueError, match="0 <= overlap < size"):
            next(file.blocks(10, 10))


def test_written_in_pieces(tmp_path):
    audio = noise(10_000)
    path = tmp_path / "a.wav"
    with Writer(path, RATE, 2) as file:
        for start in range(0, 10_000, 777):
            file.append(jnp.asarray(audio[:, start : start + 777]))
            assert not path.exists()
    np.testing.assert_array_equal(read(path)[0], audio)
    assert os.listdir(tmp_path) == ["a.wav"]
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("before", [None, b"what was there"])
def test_an_exception_leaves_everything_as_it_was(tmp_path, error, before):
    path = tmp_path / "a.wav"
    if before:
        path.write_bytes(before)
    with pytest.raises(error), Writer(path, RATE, 2, overwrite=True) as file:
        file.append(noise(5000))
        raise error
    assert os.listdir(tmp_path) == (["a.wav"] if before else [])
    assert not before or path.read_bytes() == before


def test_bad_pieces(tmp_path):
    for piece, message in ((noise(10, 3), "shape"), (noise(10)[0], "shape"), (np.full((2, 4), np.nan), "not finite")):
        with pytest.raises(AudioError, match=message), Writer(tmp_path / "a.wav", RATE, 2) as file:
            file.append(noise(100))
            file.append(piece)
    with pytest.raises(AudioError, match="no samples"), Writer(tmp_path / "a.wav", RATE, 2):
        pass
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_several_files_or_none(tmp_path, error):
    paths = [tmp_path / name for name in ("a.wav", "b.flac", "c.ogg")]
    with pytest.raises(error), writers(paths, RATE, 2) as files:
        for file in files:
            file.append(noise(5000))
        raise error
    assert os.listdir(tmp_path) == []
    with pytest.raises(AudioError, match="no samples"), writers(paths, RATE, 2) as files:
        for file in files[:2]:
            file.append(noise(5000))
    assert os.listdir(tmp_path) == []
    with writers(paths, RATE, 2) as files:
        for seed, file in enumerate(files):
            file.append(noise(5000, seed=seed))
    assert sorted(os.listdir(tmp_path)) == ["a.wav", "b.flac", "c.ogg"]
    np.testing.assert_array_equal(read(paths[0])[0], noise(5000))


def test_several_files_are_checked_before_any_is_opened(tmp_path):
    write(tmp_path / "b.wav", noise(10), RATE)
    with pytest.raises(AudioError, match="exists"), writers([tmp_path / "a.wav", tmp_path / "b.wav"], RATE, 2):
        pytest.fail("a file that exists must be refused at once")
    with pytest.raises(AudioError, match="named twice"), writers([tmp_path / "a.wav"] * 2, RATE, 2):
        pytest.fail("a name that comes twice must be refused at once")
    assert os.listdir(tmp_path) == ["b.wav"]


@pytest.mark.parametrize("extension", ["wav", "flac", "ogg"])
def test_disk_full(tmp_path, extension):
    """The operating system refuses to let files grow: what a full disk does."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        paths = [tmp_path / f"{name}.{extension}" for name in "ab"]
        with pytest.raises(AudioError, match="is the disk full"), writers(paths, RATE, 2) as files:
            files[0].append(noise(100))
            for k in range(30):
                files[1].append(noise(4096, seed=k))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert os.listdir(tmp_path) == []


def test_wav_larger_than_it_can_be(tmp_path, monkeypatch):
    monkeypatch.setattr("dsp_sep.data.writer.SIZE_LIMIT", 100_000)
    with pytest.raises(AudioError, match="4 GiB"), Writer(tmp_path / "a.wav", RATE, 2) as file:
        for _ in range(10):
            file.append(noise(4096))
    with Writer(tmp_path / "a.w64", RATE, 2) as file:
        for _ in range(10):
            file.append(noise(4096))
    assert os.listdir(tmp_path) == ["a.w64"]


def test_folder_that_may_not_be_written_to(tmp_path, monkeypatch):
    tmp_path.chmod(0o500)
    if os.access(tmp_path, os.W_OK):  # the superuser may write anywhere
        monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)
    with pytest.raises(AudioError, match="may not be written to"), Writer(tmp_path / "a.wav", RATE, 2):
        pytest.fail("must be refused at once")
    tmp_path.chmod(0o700)


def test_interrupted_process_leaves_nothing(tmp_path):
    """Ctrl-C in a real process, in the middle of writing two files."""
    program = """
        import signal, sys, time, numpy
        from dsp_sep.data import writers
        signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs of a shell ignore it
        with writers([sys.argv[1] + "/a.wav", sys.argv[1] + "/b.flac"], 8000, 1) as files:
            while True:
                for file in files:
                    file.append(numpy.zeros((1, 1000), "float32"))
                print("going", flush=True)
                time.sleep(0.01)
    """
    command = [sys.executable, "-c", textwrap.dedent(program), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout.readline() == "going\n"
        assert len(os.listdir(tmp_path)) == 2
        process.send_signal(signal.SIGINT)
        process.wait(30)
    assert process.returncode != 0
    assert os.listdir(tmp_path) == []
