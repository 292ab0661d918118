"""What the studies among the examples share.

- `songs`: songs in mono from folders of stems or from the bundled one, mixtures that never were.
- `store`: what is done already, so that a run that was cut off goes on.
- `intervals`: how sure means over songs and their differences are.
"""
