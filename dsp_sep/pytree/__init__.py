"""What every object of the library is: a frozen dataclass that is a pytree.

Its array fields are leaves, each with a domain it lives in; the rest is static. So `jax.grad` with respect to an
algorithm is gradient-based hyperparameter learning, `jax.vmap` over one is a sweep, and a checkpoint of one is a
checkpoint of a model.

- `node`, `hyper`, `static`: how such a class is written.
- `domains`: where a leaf lives, and the free parameter that moves it there.
- `unconstrain`, `constrain`, `names`: leaves chosen by dotted name, as free numbers for an optimiser.
- `assign`: leaves set by name.
- `save`, `load`: nodes as files.
- `Network`, `network`: a flax module as a field of an algorithm.
"""

from . import domains
from .assign import assign
from .decorator import Number, hyper, node, static
from .files import ModelFileError, load, save
from .leaves import cast, combine, names, partition
from .network import Network, network
from .parameters import Free, constrain, unconstrain

__all__ = [
    "Free",
    "ModelFileError",
    "Network",
    "Number",
    "assign",
    "cast",
    "combine",
    "constrain",
    "domains",
    "hyper",
    "load",
    "names",
    "network",
    "node",
    "partition",
    "save",
    "static",
    "unconstrain",
]
