"""The parts of the study `examples/deep_nmf.py`.

- `problems`: excerpts at one level, spectrograms.
- `models`: activations in layers and a mask as one tree, and the variants of it that are trained.
- `dictionaries`: supervised NMF, plain and sparse, and its grid.
- `learning`: training through the layers.
- `judging`: scores of songs.
- `page`, `plots`: the results as Markdown and as pictures.
"""
