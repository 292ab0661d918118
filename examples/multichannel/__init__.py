"""What the studies of multichannel separation of songs, `multichannel_em.py` and `hybrid_em.py`, share.

- `network`: the transform, and a small network that makes magnitudes of the sources from a mixture.
- `learning`: a network trained alone, or through the layers of an algorithm after it.
- `judging`: scores of images.
"""
