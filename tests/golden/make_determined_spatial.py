"""Blind separation of determined mixtures by ssspy and pyroomacoustics, stored in determined_spatial.npz.

Mixtures are (channels, frequency, frames); the start of the demixing matrices is the identity, that of the factors is
stored. Answers are the sources at the first channel by projection back, (sources, frequency, frames).
"""

import numpy as np
import pyroomacoustics
from archive import save
from ssspy.bss.ilrma import TILRMA, GaussILRMA
from ssspy.bss.iva import AuxLaplaceIVA

FREQUENCIES, FRAMES, COMPONENTS, ITERATIONS = 5, 40, 2, 6
FREEDOM = 5.0


def complex_noise(rng, *shape):
    return rng.standard_normal(shape) + 1j * rng.standard_normal(shape)


def mixture(rng, channels):
    """A mean power of one, the unit in which dsp_sep works."""
    activity = rng.gamma(0.3, 1, (channels, 1, FRAMES)) * rng.gamma(2, 1, (channels, FREQUENCIES, FRAMES))
    sources = np.sqrt(activity) * complex_noise(rng, channels, FREQUENCIES, FRAMES)
    mixing = np.eye(channels) + 0.5 * complex_noise(rng, FREQUENCIES, channels, channels)
    x = np.einsum("fcj,jft->cft", mixing, sources)
    return x / np.sqrt(np.mean(np.abs(x) ** 2))


def main():
    rng = np.random.default_rng(0)
    arrays, cases = {}, []

    def store(name, images, **case):
        arrays[f"{name}/images"] = images
        cases.append({"name": name, "iterations": ITERATIONS, **case})

    for channels in (2, 3):
        x = mixture(rng, channels)
        T = rng.uniform(0.1, 1, (channels, FREQUENCIES, COMPONENTS))
        V = rng.uniform(0.1, 1, (channels, COMPONENTS, FRAMES))
        arrays |= {f"mixture/{channels}": x, f"dictionary/{channels}": T, f"activations/{channels}": V}
        for rule, peer in (("ip1", "IP1"), ("ip2", "IP2"), ("iss", "ISS1")):
            options = {"spatial_algorithm": peer, "record_loss": False, "reference_id": 0}
            factors = {"basis": T.copy(), "activation": V.copy()}
            if rule != "ip2" or channels == 2:  # ssspy looks at the sources again before each pair
                store(
                    f"laplace/{rule}/{channels}",
                    AuxLaplaceIVA(**options)(x.copy(), n_iter=ITERATIONS),
                    model="laplace",
                    rule=rule,
                    channels=channels,
                )
            store(
                f"low_rank/{rule}/{channels}",
                GaussILRMA(n_basis=COMPONENTS, **options)(x.copy(), n_iter=ITERATIONS, **factors),
                model="low_rank",
                rule=rule,
                channels=channels,
            )
        heavy_tailed = TILRMA(
            n_basis=COMPONENTS, dof=FREEDOM, spatial_algorithm="IP1", record_loss=False, reference_id=0
        )
        store(
            f"heavy_tailed/ip1/{channels}",
            heavy_tailed(x.copy(), n_iter=ITERATIONS, basis=T.copy(), activation=V.copy()),
            model="heavy_tailed",
            rule="ip1",
            channels=channels,
        )
        for model in ("laplace", "gauss"):
            y, W = pyroomacoustics.bss.auxiva(
                x.transpose(2, 1, 0).copy(), n_iter=ITERATIONS, proj_back=False, model=model, return_filters=True
            )
            scale = np.linalg.inv(W)[:, 0, :]
            store(
                f"pyroomacoustics/{model}/{channels}",
                (y * scale).transpose(2, 1, 0),
                model=model,
                rule="ip1",
                channels=channels,
            )
    save("determined_spatial", arrays, cases, ["ssspy", "pyroomacoustics"])


if __name__ == "__main__":
    main()
