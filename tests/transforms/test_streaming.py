"""Streams of the STFT beside the transform of the whole signal."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep import STFT
from dsp_sep.transforms import AnalysisStream, SynthesisStream
from tests.each import marked

OPTIONS = {
    "plain": {"n_fft": 16, "hop": 4},
    "reflected": {"n_fft": 16, "hop": 5, "padding": "reflect"},
    "reflected, apart": {"n_fft": 16, "hop": 16, "padding": "reflect", "window": "rectangular"},
    "all frames": {"n_fft": 15, "hop": 4, "centered": False},
    "unpadded": {"n_fft": 16, "hop": 6, "centered": False, "padding": "none"},
    "two-sided": {"n_fft": 12, "hop": 5, "onesided": False},
}
SAMPLES = 83
every_option = pytest.mark.parametrize("options", marked(OPTIONS, always={"plain", "reflected"}))
pytestmark = pytest.mark.usefixtures("x64")


def noise(stft, *shape):
    rng = np.random.default_rng(0)
    signal = rng.standard_normal(shape)
    return signal if stft.onesided else signal + 1j * rng.standard_normal(shape)


def in_chunks(stream, state, whole, lengths):
    """What comes out for chunks of these lengths along the last axis, and then of one for the rest, and the flush."""
    outs, chunks = [], np.split(whole, np.cumsum(lengths), axis=-1)
    for chunk in chunks:
        state, out = stream.push(state, chunk)
        outs.append(out)
    return [*outs, stream.flush(state)]


@every_option
@pytest.mark.parametrize("lengths", [[20, 0, 1, 7, 31, 3], [5] * 12, []], ids=["uneven", "even", "at once"])
def test_analysis_in_chunks(options, lengths):
    stream = AnalysisStream(STFT(**options))
    signal = noise(stream.stft, 2, SAMPLES)
    outs = in_chunks(stream, stream.init((2,), signal.dtype), signal, lengths)
    np.testing.assert_allclose(np.concatenate(outs, axis=-1), stream.stft.analyze(signal), atol=1e-13)


@every_option
def test_synthesis_in_chunks(options):
    stream = SynthesisStream(STFT(**options))
    signal = noise(stream.stft, 2, SAMPLES)
    s = stream.stft.analyze(signal)
    s = s * noise(STFT(n_fft=1, hop=1, window="rectangular", onesided=False), *s.shape)
    back = np.concatenate(in_chunks(stream, stream.init((2,), signal.dtype), s, [1, 0, 2]), axis=-1)
    expected = stream.stft.synthesize(s, length=back.shape[-1])
    assert back.shape[-1] == stream.stft.grid.reach(s.shape[-1])
    np.testing.assert_allclose(back, expected, atol=1e-12)


@every_option
def test_latency(options):
    stft = STFT(**options)
    analysis, synthesis = AnalysisStream(stft), SynthesisStream(stft)
    assert analysis.latency + synthesis.latency == stft.n_fft - stft.hop
    state, sums, received, given = analysis.init((), np.complex128), synthesis.init((), np.complex128), 0, 0
    state, sums = (analysis.init(), synthesis.init()) if stft.onesided else (state, sums)
    for sample in noise(stft, 60).astype(np.complex64 if not stft.onesided else np.float32):
        state, s = analysis.push(state, sample[None])
        sums, out = synthesis.push(sums, s)
        received, given = received + 1, given + out.shape[-1]
        if received > 2 * stft.n_fft:
            assert 0 <= received - (stft.n_fft - stft.hop) - given < stft.hop


def test_settled_pushes_in_a_scan_with_gradient():
    stft = STFT(n_fft=16, hop=4)
    analysis, synthesis = AnalysisStream(stft), SynthesisStream(stft)
    signal = noise(stft, 80)

    def separate(gain):
        def step(carry, chunk):
            pending, s = analysis.push(carry[0], chunk)
            sums, out = synthesis.push(carry[1], gain * s)
            return (pending, sums), out

        carry, outs = (analysis.init((), np.float64), synthesis.init((), np.float64)), []
        for chunk in signal[:32].reshape(4, 8):
            carry, out = step(carry, chunk)
            outs.append(out)
        carry, last = jax.lax.scan(step, carry, signal[32:].reshape(6, 8))
        return jnp.concatenate([*outs, last.reshape(-1)])

    out, slope = jax.jvp(separate, (2.0,), (1.0,))
    np.testing.assert_allclose(out, 2 * signal[: out.size], atol=1e-12)
    np.testing.assert_allclose(slope, signal[: out.size], atol=1e-12)
    assert out.size == 80 - (16 - 4)


def test_a_signal_too_short_to_reflect():
    stream = AnalysisStream(STFT(n_fft=16, hop=4, padding="reflect"))
    state, out = stream.push(stream.init(), np.ones(8, np.float32))
    assert out.shape == (9, 0)
    with pytest.raises(ValueError, match="at least 9 samples"):
        stream.flush(state)
