"""The parts of the study `examples/learned_inversion.py`.

- `problems`: excerpts, and the kinds of magnitudes.
- `family`: the algorithms: fixed ones by name, the grid's points, the layers that are trained.
- `estimators`: dictionaries and a network that make magnitudes from a mixture.
- `learning`: constants, and what makes the magnitudes, trained through the layers.
- `judging`: scores of a song by number of iterations.
- `page`, `plots`: the results as Markdown and as pictures.
"""
