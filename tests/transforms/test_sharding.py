"""The STFT on two devices (of one processor): no sharded axis but that of samples or frequencies is gathered."""

import os
import subprocess
import sys

PROGRAM = """
import jax, numpy as np
from dsp_sep import STFT
from dsp_sep.transforms import fourier

stft = STFT(n_fft=64, hop=16)
mesh = jax.make_mesh((2,), ("d",), axis_types=(jax.sharding.AxisType.Auto,))
signals = np.random.default_rng(0).standard_normal((4, 500)).astype(np.float32)
spectra = np.asarray(stft.analyze_frames(signals))


def check(function, operand, *spec):
    placed = jax.device_put(operand, jax.NamedSharding(mesh, jax.P(*spec)))
    text = jax.jit(function).lower(placed).compile().as_text()
    for word in ("all-gather", "all-reduce", "all-to-all", "collective-permute"):
        assert word not in text, (function, spec, word)
    np.testing.assert_allclose(jax.jit(function)(placed), function(operand), atol=1e-4)


check(stft.analyze, signals, "d", None)
check(jax.grad(lambda x: (abs(stft.analyze(x)) ** 2).sum()), signals, "d", None)
check(lambda s: stft.synthesize_frames(s, length=500), spectra, "d", None, None)
check(lambda s: stft.consistent_frames(s, length=500), spectra, "d", None, None)
check(lambda s: fourier.irfft(s, n=64), spectra, None, "d", None)
check(lambda f: fourier.rfft(f, n=64), np.ones((2, 32, 64), np.float32), None, "d", None)
with jax.set_mesh(jax.make_mesh((2,), ("d",), axis_types=(jax.sharding.AxisType.Explicit,))):
    explicit = stft.consistent(stft.analyze(jax.device_put(signals, jax.P("d", None))))
    assert jax.typeof(explicit).sharding.spec[0] == "d", jax.typeof(explicit)
print("done")
"""


def test_sharded_batches_and_frames_stay_where_they_are():
    environment = os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout == "done\n", done.stderr
