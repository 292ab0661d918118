import os

import pytest
import soundfile

from .conftest import ENVIRONMENT, RATE, start


@pytest.mark.thorough
def test_memory_does_not_grow_with_the_length(tmp_path, audio):
    peaks = {}
    for minutes in (4, 40):
        with soundfile.SoundFile(tmp_path / f"{minutes}.wav", "w", RATE, 1, "PCM_16") as file:
            for _ in range(minutes):
                file.write(audio(60))
        settings = {**ENVIRONMENT, "MALLOC_ARENA_MAX": "1"}  # glibc's arenas make the peak vary by 100 MB
        process = start("separate", f"{minutes}.wav", "--out", "stems", cwd=tmp_path, env=settings)
        _, status, usage = os.wait4(process.pid, 0)
        assert status == 0
        peaks[minutes] = usage.ru_maxrss / 1000
        assert soundfile.info(tmp_path / "stems" / str(minutes) / "harmonic.wav").duration == 60 * minutes
    assert peaks[40] < peaks[4] + 100, peaks  # MB; the stems of 40 minutes have 154
