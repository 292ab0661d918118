"""Audio files, folders of stems and a bundled example.

- `read`, `write`, `resample`: whole files, (channels, samples) in float32; a part of a file; another rate.
- `Reader`, `Writer`, `writers`: files of any length piece by piece, in bounded memory. What is written appears whole or
  not at all; several files together or none.
- `Song`: a mixture and its sources. `read_song` reads one from a folder of stems, `songs` lists such folders.
- `Excerpts`, `batches`: random excerpts of folders of any size, read by seeking, mixed anew across songs with an
  `Augmentation`, in an order that the seed alone decides, while the last batch is computed with.
- `example`: a song to try things on, with a part to learn from and a part to be judged on.

Everything that can be wrong with a file raises `AudioError`: one line that names the file and says what to do.
"""

from .audio import read, resample, write
from .batches import batches
from .example import example
from .excerpts import Augmentation, Excerpts, Part
from .folder import read_song, songs
from .reader import AudioError, Reader
from .song import Song
from .writer import Writer, writers

__all__ = [
    "AudioError",
    "Augmentation",
    "Excerpts",
    "Part",
    "Reader",
    "Song",
    "Writer",
    "batches",
    "example",
    "read",
    "read_song",
    "resample",
    "songs",
    "write",
    "writers",
]
