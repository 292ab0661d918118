"""Whole ways from waveform to named stems. The stems always sum to the mixture.

Which one when:

- `HarmonicPercussive`: what sounds on and what strikes. Nothing to learn, fast; for drums against tuned instruments.
- `VoiceAccompaniment`: what repeats, and the voice over it. Nothing to learn; for songs whose accompaniment comes back.
- `learn_blind`: groups of similar sounds, found in the recording itself. For few instruments of different timbre;
  `ByActivation` gathers what sounds together instead, and `ByOracle` says what any gathering could reach.
- `Supervised`: dictionaries learned from recordings of each source alone, or the whole chain unfolded and trained. The
  best of these where such recordings exist.

Around them: `Chunked` for any length in bounded memory, `Resampled` for another sample rate, `Refined` to go by where
the sources are as well, in two channels or more. What all have in common is `Separator`. How well one does on songs
with known stems: `evaluate_song`, `summary`.
"""

from .blind import learn_blind, side_by_side
from .chunks import Chunked
from .evaluate import evaluate_song, summary
from .grouping import ByActivation, ByOracle, ByTimbre
from .harmonic_percussive import HarmonicPercussive
from .protocol import Separator
from .refined import Refined
from .resampled import Resampled
from .resolution import stft_for
from .supervised import Supervised, classic, learn_dictionaries
from .voice_accompaniment import VoiceAccompaniment

__all__ = [
    "ByActivation",
    "ByOracle",
    "ByTimbre",
    "Chunked",
    "HarmonicPercussive",
    "Refined",
    "Resampled",
    "Separator",
    "Supervised",
    "VoiceAccompaniment",
    "classic",
    "evaluate_song",
    "learn_blind",
    "learn_dictionaries",
    "side_by_side",
    "stft_for",
    "summary",
]
