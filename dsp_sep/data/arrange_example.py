"""Arranges the bundled example, a short song in E minor in four stems, from the CC0 samples of sonic-pi-samples.

    python dsp_sep/data/arrange_example.py /usr/share/sonic-pi/samples dsp_sep/data/example

Sixteen bars of 4/4 at 144 beats per minute: bars 1 to 8 are there to learn from (1 to 4 and 5 to 8 each hold every
note and every drum that is used later; the script checks it), bars 9 to 16 to be judged on. Every stroke has a velocity
and a timing of its own, so that nothing repeats sample for sample. Deterministic; needs numpy, scipy and soundfile.
"""

import re
import sys
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
from scipy import interpolate, ndimage, signal

RATE = 44100
STEP = RATE * 60 // 144 // 4  # a sixteenth note
BAR = RATE * 60 // 144 * 4
BARS = 16
LEVELS = {"drums": -21.5, "bass": -22.5, "guitar": -22.5, "vocals": -22.0}  # RMS in dB of full scale
CHORDS = "Em C G D | Em G C D | C D Em G | G D C Em".replace("|", "").split()

# Drums: a digit is the velocity of a stroke on that sixteenth, bar by bar.
KIT = {
    "kick": ("drum_bass_hard", 1.0, 0.0),  # sample, gain, pan from -1 (left) to 1 (right)
    "snare": ("drum_snare_hard", 0.9, 0.05),
    "ghost": ("drum_snare_soft", 0.9, 0.05),
    "hat": ("drum_cymbal_closed", 1.1, -0.4),
    "pedal": ("drum_cymbal_pedal", 0.9, -0.4),
    "open": ("drum_cymbal_open", 0.4, -0.4),
    "splash": ("drum_splash_hard", 0.6, 0.35),
    "high": ("drum_tom_hi_hard", 0.7, -0.25),
    "mid": ("drum_tom_mid_hard", 0.7, 0.1),
    "low": ("drum_tom_lo_hard", 0.7, 0.4),
}
ROCK = {"kick": "9.....7.8.......", "snare": "....9.......9...", "hat": "8.5.7.5.8.5.7.5."}
PUSH = {"kick": "9..7..8...8...6.", "snare": "....9.......9...", "ghost": ".......4.3......", "hat": "8.5.7.5.8.5.7.6."}
LIFT = {"kick": "9.....8...9.....", "snare": "....9.......9..6", "hat": "8.565.5.8.565...", "open": "..............7."}
HALF = {"kick": "9.....6.......7.", "snare": "........9.......", "ghost": "..3........4....", "hat": "7.4.6.4.7.4.6.4."}
BUSY = {"kick": "9.6...8.9..7....", "snare": "....9.......9...", "ghost": "......3..4.....5", "hat": "8565756585657565"}
STOP = {"kick": "9.....9.........", "snare": "....9.....9.....", "pedal": "8...6...8...6...", "open": "............8"}
FILL = {
    "kick": "9.......7.....8.",
    "snare": "....9...97......",
    "hat": "8.5.7.5.........",
    "high": "..........87....",
    "mid": "............87..",
    "low": "..............98",
}
ROLL = {
    "kick": "9...7...8...9...",
    "snare": "45..6789........",
    "hat": "7...............",
    "high": "........87.6....",
    "mid": "...........787..",
    "low": "..............98",
}
DRUMS = [ROCK, PUSH, LIFT | {"pedal": "....4.......4..."}, FILL]
DRUMS += [PUSH, HALF, BUSY | {"open": "......7.........", "pedal": "............5..."}, ROLL]
DRUMS += [BUSY, ROCK, PUSH | {"open": "..............6."}, ROLL]
DRUMS += [LIFT, BUSY, STOP, FILL]
CRASHES = {0: 8, 4: 9, 8: 9, 12: 7, 15: 5}

# Bass: (step, length) of each note and which one: the root, the fifth, or the note that leads to the next root.
ROOT = {"Em": "E2", "C": "C2", "G": "G2", "D": "D2"}
FIFTH = {"Em": "B1", "C": "G2", "G": "D2", "D": "A1"}
LEAD = {"Em": "F#2", "C": "D2", "G": "F#2", "D": "E2"}  # by the chord that it leads to
STEADY = "r0.3 r4.2 r6.2 f8.3 r12.2 l14.2"
EIGHTHS = "r0.2 r2.2 r4.2 f6.2 r8.2 r10.2 f12.2 l14.2"
SPARSE = "r0.5 r6.3 f10.4 l14.2"
WALK = "r0.4 f4.4 r8.3 f11.1 r12.2 l14.2"
JUMP = "r0.2 r3.3 f6.2 r8.4 r12.1 f13.1 l14.2"
END = "r0.6 f8.4 r12.4"
BASS = [STEADY, EIGHTHS, WALK, JUMP, EIGHTHS, STEADY, JUMP, WALK]
BASS += [JUMP, WALK, EIGHTHS, SPARSE, WALK, JUMP, STEADY, END]

# Guitar: strummed open fifths with the ninth, under picked harmonics that bring in the third.
SHAPE = {"Em": 0, "C": -4, "G": 3, "D": -2}  # semitones from the recorded chord on E
PICKED = {"Em": "E4 G4 B4 D5", "C": "E4 G4 C5 E5", "G": "D4 G4 B4 D5", "D": "D4 F#4 A4 D5"}
STRUMS = ["7.....5.6...5.4.", "7...5.6...5...6.", "8.....6.....5.5."]
STRUMS += ["6.6...6.5.......", "7..6..5.7..6....", "8.......6.5.4..."]
STRUMMED = [0, 1, 2, 3, 1, 0, 4, 5, 4, 2, 1, 0, 3, 4, 2, 5]
PICKS = ["0.1.2.3.2.1.2.1.", "..3.2.1...3.2.1.", "0...2.1.3...2.0."]
PICKS += ["3.2.1.0.1.2.3...", "0.2.1.2.3.2.1.2.", "..0.1.2.3..2..1."]
PICKING = [0, 1, 3, 2, 4, 5, 0, 3, 5, 4, 2, 0, 1, 3, 4, 2]

# Voice: phrases of (beats of rest, then note, vowel, beats, ...), each with the bar that it begins in.
MELODY = {
    0: "1 E4a1 G4o.5 A4a1.5 G4e.5 F#4o.5 E4u1.5",
    2: ".5 D4o.5 B3a1 D4e.5 E4i1 G4a1.5 F#4o2",
    4: ".5 B3u.5 E4a1 F#4e.5 G4a1 A4o.5 G4e1 D4a1.5",
    6: ".5 E4i.5 G4a1 F#4o1 E4u1 D4e.5 B3a.5 A4a1 F#4o1",
    8: "1 G4a1 E4o.5 D4e.5 F#4a1.5 A4o1 F#4u1",
    10: ".5 B3a.5 E4i.5 G4a1.5 A4e.5 G4o1 D4a1 B3u1",
    12: ".5 D4e.5 G4a1.5 A4o.5 G4e.5 F#4a1 D4o1.5",
    14: ".5 G4a1 E4e.5 D4o.5 E4a1.5 B3u.5 E4o2.5",
}
DUETS = (2, 6, 10, 14)  # bars whose phrase has a second voice, a third below
THIRD = {"B3": "G3", "D4": "B3", "E4": "C4", "F#4": "D4", "G4": "E4", "A4": "F#4"}
VOWELS = {"a": (750, 1200, 2600), "o": (480, 880, 2500), "u": (350, 760, 2350)}  # resonances in Hz
VOWELS |= {"e": (470, 1850, 2550), "i": (320, 2150, 2900)}


def semitones(note: str) -> int:
    """Semitones of a note such as F#4 above C0."""
    return ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"].index(note[:-1]) + 12 * int(note[-1])


def hertz(note: float | np.ndarray) -> float | np.ndarray:
    """The frequency of notes that are given in semitones above C0."""
    return 440.0 * 2 ** ((note - semitones("A4")) / 12)


@cache
def sample(name: str) -> np.ndarray:
    """A recording as (samples, 2)."""
    audio, rate = soundfile.read(SAMPLES / f"{name}.flac", always_2d=True)
    assert rate == RATE
    return np.repeat(audio, 2, axis=1) if audio.shape[1] == 1 else audio


@cache
def transposed(name: str, start: float, interval: float) -> np.ndarray:
    """A recording from `start` seconds on, `interval` semitones higher, by resampling."""
    ratio = Fraction(2 ** (interval / 12)).limit_denominator(150)
    return signal.resample_poly(sample(name)[int(start * RATE) :], ratio.denominator, ratio.numerator, axis=0)


def pan(audio: np.ndarray, position: float, width: float) -> np.ndarray:
    """Places stereo audio from left (-1) to right (1), `width` times as wide as it was; constant power."""
    middle, side = audio.mean(axis=1), width * (audio[:, 0] - audio[:, 1]) / 2
    angle = np.pi / 4 * (1 + position)
    return np.stack([np.cos(angle) * (middle + side), np.sin(angle) * (middle - side)], axis=1)


def played(audio: np.ndarray, velocity: float, length: int, release: int = 1500) -> np.ndarray:
    """One stroke: softer is darker; cut after `length` samples with a fade."""
    audio = audio[: length + release].copy()
    fade = max(0, len(audio) - length)
    if fade:
        audio[len(audio) - fade :] *= np.linspace(1, 0, fade)[:, None] ** 2
    audio[:60] *= np.linspace(0, 1, 60)[:, None]
    cutoff = min(20000, 900 * 2 ** (5 * velocity))
    return velocity**1.5 * signal.sosfilt(signal.butter(1, cutoff, fs=RATE, output="sos"), audio, axis=0)


class Stem:
    """A track onto which strokes are laid, with the random hand of its player."""

    def __init__(self, seed: int):
        self.audio = np.zeros((BARS * BAR, 2))
        self.random = np.random.default_rng(seed)
        self.used: list[tuple[int, str]] = []

    def lay(self, audio: np.ndarray, bar: int, step: float, jitter: float = 0.003) -> None:
        late = int(RATE * jitter * abs(self.random.standard_normal()))
        start = int(bar * BAR + step * STEP) + min(late, STEP // 4)
        stop = min(start + len(audio), len(self.audio))
        self.audio[start:stop] += audio[: stop - start]

    def velocity(self, digit: str | int) -> float:
        return int(digit) / 9 * (1 + 0.06 * self.random.uniform(-1, 1))


def drums() -> Stem:
    """The kit in a small room."""
    stem = Stem(1)
    for bar, pattern in enumerate(DRUMS):
        for piece, line in (pattern | ({"splash": str(CRASHES[bar])} if bar in CRASHES else {})).items():
            name, gain, position = KIT[piece]
            for step, digit in enumerate(line):
                if digit != ".":
                    stroke = played(transposed(name, 0.0, 0.0), stem.velocity(digit), BAR)
                    stem.lay(gain * pan(stroke, position, 1.0), bar, step, 0.002)
                    stem.used.append((bar, piece))
    stem.audio = np.tanh(1.1 * stem.audio + 0.12 * room(stem.audio, seed=11, seconds=0.35))
    return stem


def bass() -> Stem:
    """Roots, fifths and the notes that lead on."""
    stem = Stem(2)
    for bar, pattern in enumerate(BASS):
        following = CHORDS[(bar + 1) % BARS]
        notes = {"r": ROOT[CHORDS[bar]], "f": FIFTH[CHORDS[bar]], "l": LEAD[following]}
        for event in pattern.split():
            step, length = map(int, event[1:].split("."))
            note, size = notes[event[0]], int(length * STEP * 0.93)
            tone = transposed("bass_woodsy_c", 0.0, semitones(note) - semitones("C2"))
            tone = tone * np.exp(-np.arange(len(tone)) / RATE / 0.9)[:, None]
            stem.lay(pan(played(tone, stem.velocity(8), size), 0.0, 0.5), bar, step)
            stem.used.append((bar, note))
    stem.audio = np.tanh(0.9 * stem.audio)
    return stem


def guitar() -> Stem:
    """Strums on the left, picked harmonics on the right."""
    stem = Stem(3)
    for bar, chord in enumerate(CHORDS):
        strums, picks = STRUMS[STRUMMED[bar]], PICKS[PICKING[bar]]
        for step, digit in enumerate(strums):
            if digit != ".":
                length = len(strums[step + 1 :]) - len(strums[step + 1 :].lstrip(".")) + 1
                start = 0.51 if length > 4 else 0.0
                tone = transposed("guit_e_fifths", start, SHAPE[chord] - 0.05)
                stroke = played(tone, stem.velocity(digit), int(min(length * STEP, 0.8 * RATE)), 2500)
                stem.lay(pan(stroke, -0.35, 0.7), bar, step, 0.004)
                stem.used.append((bar, f"{chord} strum"))
        for step, digit in enumerate(picks):
            if digit != ".":
                note = PICKED[chord].split()[int(digit)]
                tone = transposed("guit_harmonics", 1.205, semitones(note) - semitones("B4") + 0.05)
                stem.lay(1.9 * pan(played(tone, stem.velocity(7), 5 * STEP, 6000), 0.4, 1.0), bar, step, 0.004)
                stem.used.append((bar, note))
    hum = signal.butter(4, 95, "highpass", fs=RATE, output="sos")
    stem.audio = signal.sosfilt(hum, stem.audio, axis=0)
    stem.audio = np.tanh(1.5 * (stem.audio + 0.15 * room(stem.audio, seed=13, seconds=0.9)))
    return stem


@cache
def excitation() -> tuple[np.ndarray, np.ndarray]:
    """From the choir: its lower voice (272 Hz) with a flat envelope in time and frequency, and its breath."""
    choir = sample("ambi_choir")[1500:]
    size = len(choir)
    spectrum = np.fft.rfft(choir, axis=0)
    frequency = np.fft.rfftfreq(size, 1 / RATE)
    number = np.maximum(1, np.round(frequency / 272))
    comb = np.exp(-(((frequency - 272 * number) / (0.04 * 272 * np.sqrt(number) + 8)) ** 4)) * (frequency < 7000)
    upper = np.abs(frequency / 640 - np.round(frequency / 640)) * 640
    comb *= np.where((frequency > 600) & (frequency < 2000), 1 - np.exp(-((upper / 25) ** 4)), 1.0)
    envelope = ndimage.gaussian_filter1d(np.abs(spectrum * comb[:, None]).mean(axis=1), 300 * size / RATE)
    voice = np.fft.irfft(spectrum * (comb / (envelope + 1e-3 * envelope.max()))[:, None], size, axis=0)
    breath = np.fft.irfft(spectrum / (1 + (5000 / (frequency + 1)) ** 8)[:, None], size, axis=0)
    return steady(voice), steady(breath)


def steady(audio: np.ndarray) -> np.ndarray:
    """Takes the decay out of a recording and makes its end run into its beginning."""
    loudness = np.sqrt(ndimage.gaussian_filter1d((audio**2).mean(axis=1), 0.04 * RATE))[: int(1.1 * RATE)]
    audio = audio[: len(loudness)] / loudness[:, None]
    cross = int(0.3 * RATE)
    ramp = np.sin(np.linspace(0, np.pi / 2, cross))[:, None]
    return np.concatenate([audio[:cross] * ramp + audio[-cross:] * ramp[::-1], audio[cross:-cross]])


def sung(phrase: list[tuple[float, str, str, float]], random: np.random.Generator) -> np.ndarray:
    """A phrase of (beat, note, vowel, beats): glides, vibrato, syllables and vowels over the excitation."""
    beat = 4 * STEP
    size = int((phrase[-1][0] + phrase[-1][3] + 0.5) * beat)
    time = np.arange(size)
    pitch, loudness, breath = np.zeros(size), np.zeros(size), np.zeros(size)
    formants = np.zeros((size, 3))
    for start, note, vowel, beats in phrase:
        begin, end = int(start * beat), int((start + beats) * beat)
        pitch[begin:] = semitones(note) + 0.06 * random.standard_normal()
        depth = 0.3 * np.clip((time - begin) / RATE / 0.35 - 0.5, 0, 1)
        turn = 2 * np.pi * (5.4 + 0.3 * random.standard_normal()) * (time - begin) / RATE
        pitch[begin:] += (depth * np.sin(turn))[begin:]
        loudness[begin : end - 1400] = 0.8 + 0.2 * random.uniform()
        loudness[begin:end] *= np.exp(-np.arange(end - begin) / RATE / 2.5)
        breath[begin - 1800 if begin > 1800 else 0 : begin + 1200] = random.uniform(0.3, 1.0)
        formants[begin:] = VOWELS[vowel]
    first = int(phrase[0][0] * beat)
    pitch[:first], formants[:first] = pitch[first], formants[first]
    pitch = ndimage.gaussian_filter1d(pitch, 0.018 * RATE)
    loudness = ndimage.gaussian_filter1d(loudness, 0.016 * RATE)
    breath = ndimage.gaussian_filter1d(breath, 0.01 * RATE)
    voice, air = excitation()
    position = np.cumsum(hertz(pitch) / 272) + random.uniform(0, len(voice))
    loop = interpolate.CubicSpline(np.arange(len(voice) + 1), np.concatenate([voice, voice[:1]]), bc_type="periodic")
    voice = loop(position % len(voice))
    return loudness[:, None] * shaped(voice, formants) + 0.03 * breath[:, None] * np.resize(air, voice.shape)


def shaped(audio: np.ndarray, formants: np.ndarray) -> np.ndarray:
    """Gives a flat voice the resonances of its vowels, which move from syllable to syllable."""
    size, hop = 1024, 256
    stft = signal.ShortTimeFFT(signal.windows.hann(size, sym=False), hop, RATE)
    frames = stft.stft(audio, axis=0)  # (frequency, channels, frames)
    centres = np.clip(stft.t(len(audio)) * RATE, 0, len(audio) - 1).astype(int)
    moving = ndimage.gaussian_filter1d(formants, 0.02 * RATE, axis=0)[centres].T
    frequency = stft.f[:, None]
    gain = 0.3 / (1 + (frequency / 450) ** 2) + 0.02 / (1 + (frequency / 3000) ** 2)
    for centre, height, width in ((3400, 0.05, 350), *zip(moving, (1.0, 0.45, 0.16), (110, 140, 190), strict=True)):
        gain = gain + height / (1 + ((frequency - centre) / width) ** 2)
    return stft.istft(frames * gain[:, None, :], k1=len(audio), f_axis=0, t_axis=2)


def vocals() -> Stem:
    """The melody, at times with a second voice, in a hall."""
    stem = Stem(4)
    for bar, line in MELODY.items():
        rest, words = line.split(maxsplit=1)
        phrase, beat = [], float(rest)
        for note, vowel, beats in re.findall(r"(\S+?\d)([aeiou])(\S+)", words):
            phrase.append((beat, note, vowel, float(beats)))
            stem.used.append((bar + int(beat // 4), note))
            beat += float(beats)
        stem.lay(pan(sung(phrase, stem.random), 0.0, 0.35), bar, 0)
        if bar in DUETS:
            second = [(beat, THIRD[note], vowel, beats) for beat, note, vowel, beats in phrase]
            stem.lay(0.35 * pan(sung(second, stem.random), -0.3, 0.6), bar, 0)
    stem.audio += 0.22 * room(stem.audio, seed=17, seconds=1.4)
    return stem


def room(audio: np.ndarray, seed: int, seconds: float) -> np.ndarray:
    """The stereo reverberation of a room whose sound falls by 60 dB in `seconds`."""
    size = int(seconds * RATE)
    noise = np.random.default_rng(seed).standard_normal((size, 2)) * 10 ** (-3 * np.arange(size) / size)[:, None]
    noise = signal.sosfilt(signal.butter(2, (250, 5000), "bandpass", fs=RATE, output="sos"), noise, axis=0)
    delayed = np.concatenate([np.zeros((600, 2)), noise / np.linalg.norm(noise, axis=0)])
    return signal.fftconvolve(audio, delayed, axes=0)[: len(audio)]


def check(name: str, used: list[tuple[int, str]]) -> None:
    """What sounds in the second part must have sounded in both halves of the first."""
    early, late, judged = ({what for bar, what in used if low <= bar < high} for low, high in ((0, 4), (4, 8), (8, 16)))
    assert judged <= early & late, f"{name}: not in both halves of the first part: {sorted(judged - (early & late))}"


def main(out: Path) -> None:
    """Plays, checks, levels and writes the four stems."""
    out.mkdir(parents=True, exist_ok=True)
    for name, play in (("drums", drums), ("bass", bass), ("guitar", guitar), ("vocals", vocals)):
        stem = play()
        check(name, stem.used)
        audio = stem.audio * 10 ** (LEVELS[name] / 20) / np.sqrt(np.mean(stem.audio**2))
        audio[-STEP:] *= np.linspace(1, 0, STEP)[:, None]
        coarse = np.round(audio * 2**13).astype(np.int16) * 4  # 14 bits: small files, noise 66 dB below the stem
        soundfile.write(out / f"{name}.flac", coarse, RATE, subtype="PCM_16")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    SAMPLES = Path(sys.argv[1])
    main(Path(sys.argv[2]))
