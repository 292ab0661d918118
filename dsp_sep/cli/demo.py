"""`dsp-sep demo`: the main job on the bundled example, from dictionaries to a trained unfolded chain."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

TITLE = "Part of the song that nothing was learned from; dB, higher is better"


@dataclass(frozen=True)
class Plan:
    """How much the demo does.

    Attributes:
        n_fft: of the transform, samples; the hop is a quarter of it.
        components: atoms for each source.
        dictionary_steps: iterations of NMF for the dictionaries.
        iterations: multiplicative updates in the chain.
        inversions: iterations of MISI in the chain.
        sparsities, exponents, weights: the grid: sparsity weight, mask exponent, exponent of MISI's mixture weights.
        steps: steps of the optimiser.
        seconds: of an excerpt, one for each step.
        rate: of learning, at the start; it falls to zero as a cosine.
    """

    n_fft: int = 4096
    components: int = 16
    dictionary_steps: int = 100
    iterations: int = 10
    inversions: int = 3
    sparsities: tuple[float, ...] = (1e-3, 0.1, 0.3, 1.0)
    exponents: tuple[float, ...] = (0.7, 1.0, 1.5, 2.0)
    weights: tuple[float, ...] = (0.0, 1.0, 2.0)
    steps: int = 60
    seconds: float = 2.0
    rate: float = 0.05


@click.command()
@click.option(
    "--out", type=click.Path(path_type=Path), default="dsp-sep-demo", show_default=True, help="Where to write."
)
@click.option("--overwrite", is_flag=True, help="Replace what an earlier demo wrote there.")
def demo(out: Path, overwrite: bool) -> None:
    """Separate the bundled song, classic and trained.

    Learns a dictionary for each stem from the first quarter of the song, chooses hyperparameters on the second, by grid
    search and by gradient through the unfolded iterations, and separates the half that it has not seen. Prints how good
    each way is, and writes the stems, the training curve, and both chains for 'dsp-sep separate --model'.

    Takes one to two minutes on two cores.
    """
    from rich.console import Console

    from .. import data, report
    from ..pytree import save
    from .stems import new_folder

    if out.exists() and not overwrite:
        raise click.ClickException(f"{out} exists: choose another folder with --out, or allow --overwrite")
    with new_folder(out):
        with report.progress() as bars:
            methods, models, losses = separate_example(Plan(), bars.track)
        song = data.example("judge")
        for method in ("classic", "trained"):
            report.write_stems(out / method, song.names, methods[method], song.rate, overwrite=overwrite)
        report.curves(out / "training", {"loss: negative SDR in dB": losses})
        for name, chain in models.items():
            save(out / f"{name}.npz", chain, overwrite=overwrite)
    Console().print(report.table({method: measures(song, stems) for method, stems in methods.items()}, title=TITLE))
    click.echo(
        f"Stems, the training curve and the trained model are in {out}. Take a recording of the same instruments apart:"
        f"\n  dsp-sep separate RECORDING --model {out / 'model.npz'} --out stems"
    )


def measures(song: Any, stems: Any) -> dict[str, dict[str, float]]:
    """SI-SDR (mean over channels) and SDR (median over seconds), in dB, of each stem."""
    from ..metrics import median_sdr, si_sdr

    scale_invariant = si_sdr(song.sources, stems).mean(-1)
    plain = median_sdr(song.sources, stems, song.rate)
    return {name: {"SI-SDR": float(scale_invariant[j]), "SDR": float(plain[j])} for j, name in enumerate(song.names)}


def separate_example(plan: Plan, track: Callable[..., Any]) -> tuple[dict[str, Any], dict[str, Any], Any]:
    """Every method's stems of the part of the example to be judged on, the classic and the trained chain, its losses.

    Args:
        plan: how much to do.
        track: shows progress: `track(iterable, description=..., total=...)` iterates over what it is given.
    """
    import jax
    import jax.numpy as jnp

    from .. import data
    from ..masking import RatioMask
    from ..numerics import magnitude, scale
    from ..separators import classic, learn_dictionaries
    from ..transforms import STFT

    song = data.example("learn")
    middle = song.mixture.shape[-1] / song.rate / 2
    atoms, held = song.excerpt(0, middle), song.excerpt(middle, 2 * middle)
    unseen = data.example("judge")

    stft = STFT(n_fft=plan.n_fft, hop=plan.n_fft // 4)
    key = jax.random.key(0)
    for _ in track([None], description="Learning dictionaries"):
        W = learn_dictionaries(stft, atoms.sources, components=plan.components, steps=plan.dictionary_steps, key=key)
    size = {"iterations": plan.iterations, "inversions": plan.inversions}
    plain = classic(stft, W, names=song.names, rate=song.rate, **size)
    searched = grid_search(plain, held, plan, track)
    trained, losses = train(searched, held, plan, track)
    chains = {
        "classic, no MISI": replace(plain, inversion=None),
        "classic": plain,
        "classic, grid search": searched,
        "trained, no MISI": replace(trained, inversion=None),
        "trained": trained,
    }
    mixture = jnp.asarray(unseen.mixture)
    methods = {"mixture": jnp.broadcast_to(mixture, unseen.sources.shape)}
    for method, chain in track(chains.items(), description="Separating the unseen half", total=len(chains)):
        methods[method] = jax.block_until_ready(chain(mixture))
    oracle = RatioMask(2.0)(magnitude(stft.analyze(jnp.asarray(unseen.sources))))
    spectrogram = scale(oracle, jnp.expand_dims(stft.analyze(mixture), 0))
    methods["oracle mask"] = stft.synthesize(spectrogram, length=mixture.shape[-1])
    return methods, {"classic": searched, "model": trained}, losses


def grid_search(chain: Any, song: Any, plan: Plan, track: Callable[..., Any]) -> Any:
    """The classic chain with the constants, of all on the grid, that separate a song best."""
    import jax.numpy as jnp

    from ..pytree import assign
    from ..training import negative_sdr

    def candidates() -> Iterator[Any]:
        for sparsity, exponent, weight in itertools.product(plan.sparsities, plan.exponents, plan.weights):
            constants = {
                "activations.penalties.0.weight": sparsity,
                "mask.exponent": exponent,
                "inversion.mixture_weight.exponent": weight,
            }
            yield assign(chain, constants)

    def loss(candidate: Any) -> float:
        return float(jnp.mean(negative_sdr(song.sources, candidate(song.mixture))))

    total = len(plan.sparsities) * len(plan.exponents) * len(plan.weights)
    return min(track(candidates(), description="Searching a grid", total=total), key=loss)


def train(chain: Any, song: Any, plan: Plan, track: Callable[..., Any]) -> tuple[Any, Any]:
    """Unfold a chain, and train its hyperparameters through all layers on excerpts of a song."""
    import jax.numpy as jnp
    import optax

    from ..iterate import unfold
    from ..pytree import constrain, unconstrain
    from ..training import excerpts, fit, negative_sdr

    layers = replace(
        chain,
        activations=unfold(chain.activations[0], plan.iterations, untied=("dictionary",)),
        inversion=unfold(chain.inversion[0], plan.inversions, untied=("mixture_weight.exponent",)),
    )
    learned = ("activations.dictionary", "activations.penalties", "mask.exponent", "inversion.mixture_weight.exponent")

    def loss(params: Any, sources: Any) -> Any:
        return jnp.mean(negative_sdr(sources, constrain(params, layers)(jnp.sum(sources, axis=0))))

    batches = excerpts(song, seconds=plan.seconds, count=plan.steps, seed=0)
    optimizer = optax.adam(optax.cosine_decay_schedule(plan.rate, plan.steps))
    tracked = track(batches, description="Training the layers", total=plan.steps)
    found = fit(loss, unconstrain(layers, train=learned), tracked, optimizer)
    return constrain(found.params, layers), found.losses
