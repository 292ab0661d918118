"""Independent components by scikit-learn's FastICA, stored in fast_ica.npz.

It takes real numbers. Its loop is given the function of the complex algorithm and what stands there for its slope: of
circular complex sources that is `E{G' + |y|² G''}` (Bingham and Hyvärinen, 2000), of real ones `E{G' + 2 y² G''}`. It
starts from the directions of the channels, as dsp_sep does, whatever whitening either uses.
"""

import warnings

import numpy as np
from archive import save
from sklearn.decomposition import FastICA
from sklearn.exceptions import ConvergenceWarning

CHANNELS, FRAMES = 3, 200
CONTRASTS = {
    "square_root": lambda p: (0.5 * (0.1 + p) ** -0.5, -0.25 * (0.1 + p) ** -1.5),
    "logarithm": lambda p: (1 / (0.1 + p), -1 / (0.1 + p) ** 2),
}


def mixture(rng):
    x = rng.standard_normal((CHANNELS, CHANNELS)) @ rng.laplace(size=(CHANNELS, FRAMES))
    x -= x.mean(axis=1, keepdims=True)
    return x / np.sqrt(np.mean(x**2))


def separate(x, derivatives, iterations):
    """Images of the sources, `(sources, channels, frames)`."""

    def function(y):
        first, second = derivatives(y**2)
        return y * first, np.mean(first + y**2 * second, axis=-1)

    vectors = np.linalg.eigh(x @ x.T)[1][:, ::-1]
    start = vectors * np.sign(vectors[0])
    ica = FastICA(fun=function, whiten="arbitrary-variance", whiten_solver="eigh", w_init=start, max_iter=iterations)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        sources = ica.set_params(tol=0.0).fit_transform(x.T).T
    return ica.mixing_.T[:, :, None] * sources[:, None]


def main():
    x = mixture(np.random.default_rng(0))
    arrays, cases = {"mixture": x}, []
    for contrast, derivatives in CONTRASTS.items():
        for iterations in (1, 6):
            name = f"{contrast}/iterations_{iterations}"
            arrays[f"{name}/images"] = separate(x, derivatives, iterations)
            cases.append({"name": name, "contrast": contrast, "iterations": iterations})
    save("fast_ica", arrays, cases, ["scikit-learn"])


if __name__ == "__main__":
    main()
