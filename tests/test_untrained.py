"""Every algorithm of the table of cases, unfolded and not trained, is the classical one, as users compile it."""

from dsp_sep import run, unfold
from dsp_sep.pytree import names
from tests.checks import distance, identical
from tests.each import each

STEPS = 4


@each()
def test_untrained_layers_are_the_iterations(case, optimized_file):
    algorithm, data = case.algorithm(), case.data(())
    classical = run(algorithm, data, STEPS, key=case.key()).output
    assert identical(run(unfold(algorithm, STEPS), data, key=case.key()).output, classical)

    def untied(chosen):
        return run(unfold(algorithm, STEPS, untied=chosen), data, key=case.key()).output

    # The values of the layers are slices of an array then: the same numbers, to the last bit. Not so what is computed
    # of a window, say, which stays in the loop where each layer has its own, so that XLA fuses it otherwise.
    leaves = names(algorithm)
    plain = tuple(name for name in leaves if not name.endswith(case.computed))
    if plain:
        assert identical(untied(plain), classical)
    if len(plain) < len(leaves):
        assert distance(untied(leaves), classical) < 1e-5
