"""What a human says to an agent, so that it has something to say."""

import subprocess
import tempfile
from pathlib import Path

from tests.system.caller import SPEECH_RATE, read_48k

_SENTENCE = "Hello parrot, please tell me what I just said."


def spoken_sentence() -> bytes:
    """Return a spoken sentence and the silence of a second, samples at SPEECH_RATE."""
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "sentence.wav"
        command = ["espeak-ng", "-w", str(recording), _SENTENCE]
        subprocess.run(command, check=True)  # noqa: S603 (the one on PATH, with our own words)
        return read_48k(recording) + bytes(2 * SPEECH_RATE)
