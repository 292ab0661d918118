import csv
import sys

import numpy as np
import pytest
from rich.console import Console

from dsp_sep.data import AudioError, read
from dsp_sep.report import Levels, curves, levels_table, markdown, table, write_stems

ROWS = {
    "mixture": {"drums": {"SDR": 0.0, "SI-SDR": -1.0}, "bass": {"SDR": 1.0, "SI-SDR": -2.0}},
    "trained": {"drums": {"SDR": 5.126, "SI-SDR": 6.0}, "bass": {"SDR": -3.0}},
}


def shown(renderable) -> str:
    console = Console(width=100, record=True, file=None, quiet=False)
    with console.capture() as capture:
        console.print(renderable)
    return capture.get()


def test_markdown_has_the_best_of_each_column_in_bold():
    assert markdown(ROWS).splitlines() == [
        "| measure | method | drums | bass | mean |",
        "| --- | --- | ---: | ---: | ---: |",
        "| SDR | mixture | 0.00 | **1.00** | 0.50 |",
        "| SDR | trained | **5.13** | -3.00 | **1.06** |",
        "| SI-SDR | mixture | -1.00 | **-2.00** | **-1.50** |",
        "| SI-SDR | trained | **6.00** |  |  |",
    ]


def test_table_shows_the_same_numbers():
    text = shown(table(ROWS, title="Separated"))
    cells = [[cell.strip() for cell in line.strip("│").split("│")] for line in text.splitlines() if "│" in line]
    assert cells == [
        ["SDR", "mixture", "0.00", "1.00", "0.50"],
        ["", "trained", "5.13", "-3.00", "1.06"],
        ["SI-SDR", "mixture", "-1.00", "-2.00", "-1.50"],
        ["", "trained", "6.00", "", ""],
    ]
    assert "Separated" in text


def test_levels_of_pieces_are_those_of_the_whole():
    rng = np.random.default_rng(0)
    stems = rng.normal(size=(2, 3, 1000)).astype(np.float32)
    mixture = stems.sum(0) + np.float32(0.01)
    levels = Levels(("a", "b"))
    for piece in np.split(np.arange(1000), [0, 100, 700]):
        levels.add(mixture[:, piece], stems[:, :, piece])
    assert levels.stems["b"] == pytest.approx(10 * np.log10(np.mean(stems[1] ** 2)), abs=1e-4)
    assert levels.mixture == pytest.approx(10 * np.log10(np.mean(mixture**2)), abs=1e-4)
    assert levels.error == pytest.approx(-40 - levels.mixture, abs=1e-3)


def test_levels_table_names_silence():
    levels = Levels(("a", "b"))
    levels.add(np.full((1, 10), 0.1), np.stack([np.full((1, 10), 0.1), np.zeros((1, 10))]))
    text = shown(levels_table({"song.wav": levels}))
    rows = {line.split("│")[2].strip(): line.split("│")[3].strip() for line in text.splitlines() if "│" in line}
    assert rows == {"a": "-20.0", "b": "silent", "mixture": "-20.0", "sum - mixture": "exact"}


def test_curves(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert curves(tmp_path / "run.1", {"loss": [2.0, 1.5, 1.25], "validation": [3.0]}) == [tmp_path / "run.1.csv"]
    with (tmp_path / "run.1.csv").open() as file:
        rows = list(csv.reader(file))
    assert rows == [["step", "loss", "validation"], ["0", "2.0", "3.0"], ["1", "1.5", ""], ["2", "1.25", ""]]


def test_curves_as_a_picture(tmp_path):
    pytest.importorskip("matplotlib")
    _, picture = curves(tmp_path / "training", {"loss": [2.0, 1.5]})
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_stems_are_written_all_or_none(tmp_path):
    stems = np.linspace(-1, 1, 40, dtype=np.float32).reshape(2, 2, 10)
    paths = write_stems(tmp_path / "song", ("a", "b"), stems, 8000)
    for path, stem in zip(paths, stems, strict=True):
        np.testing.assert_array_equal(read(path)[0], stem)
    (tmp_path / "song/a.wav").unlink()
    with pytest.raises(AudioError, match=r"b\.wav exists"):
        write_stems(tmp_path / "song", ("a", "b"), stems, 8000)
    assert not (tmp_path / "song/a.wav").exists()
