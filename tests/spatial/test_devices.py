"""EM on two devices of one processor: it ends, which it did not where both waited for threads for their eigenvalues."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import sys, jax, numpy as np
from dsp_sep import run
from dsp_sep.spatial import EM

rng = np.random.default_rng(0)
mixture = rng.standard_normal((4, int(sys.argv[1]), 513, 200, 2), np.float32).view(np.complex64)[..., 0]
magnitudes = np.abs(rng.standard_normal((4, 4, 1, 513, 200), np.float32)) + 0.1
expected = run(EM(), (mixture, magnitudes), 4).output
mesh = jax.make_mesh((2,), ("d",), axis_types=(jax.sharding.AxisType.Auto,))
for _ in range(10):
    images = run(EM(), jax.device_put((mixture, magnitudes), jax.NamedSharding(mesh, jax.P("d"))), 4).output
    assert len(images.sharding.device_set) == 2
    np.testing.assert_allclose(images, expected, atol=1e-4 * np.abs(expected).max())
print("done")
"""


@pytest.mark.thorough
@pytest.mark.parametrize("channels", ["2", "3"])
def test_em_on_two_devices(channels):
    environment = os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", PROGRAM, channels]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "done\n", done.stderr
