"""What the studies among the examples share.

- `songs`: songs from folders of stems or from the bundled one, excerpts, mixtures that never were.
- `store`: what is done already, so that a run that was cut off goes on.
- `intervals`: how sure means over songs and their differences are.
- `page`, `pictures`: results as tables and figures.
"""
