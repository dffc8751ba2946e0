"""The parrot's hello: two rising notes, computed. No I/O."""

import array
import math

_NOTES_HZ = (660.0, 880.0)
_NOTE_SECONDS = 0.22
_LOUDNESS = 8_000  # of 32,767


def greeting_pcm(sample_rate: int) -> bytes:
    """Return about half a second of sound: mono int16 samples in this machine's byte order."""
    length = int(sample_rate * _NOTE_SECONDS)
    samples = (
        round(_LOUDNESS * math.sin(math.pi * i / length) * _wave(hertz, i / sample_rate))
        for hertz in _NOTES_HZ
        for i in range(length)
    )
    return array.array("h", samples).tobytes()


def _wave(hertz: float, seconds: float) -> float:
    """Return one point of a tone with a soft overtone, within -1 and 1."""
    turn = math.tau * hertz * seconds
    return 0.8 * math.sin(turn) + 0.2 * math.sin(2 * turn)
