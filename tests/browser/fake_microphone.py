"""A microphone that says one sentence again and again.

Chromium's own fake microphone only beeps, which is not speech (livekit-behaviour 72).
"""

import shutil
import subprocess
import wave
from pathlib import Path

_SENTENCE = "Hello there. Can you hear me?"
# The pause is longer than the sentence, so that the agent can say it back without an interruption.
_PAUSE_SECONDS = 4


def record_sentence(folder: Path) -> Path:
    """Have espeak-ng speak the sentence into a file, with a pause after it; return the file."""
    spoken, recording = folder / "spoken.wav", folder / "microphone.wav"
    espeak = shutil.which("espeak-ng")
    if espeak is None:
        raise FileNotFoundError("no espeak-ng on PATH: install the package `espeak-ng`")
    subprocess.run([espeak, "-w", str(spoken), _SENTENCE], check=True)
    with wave.open(str(spoken)) as source, wave.open(str(recording), "wb") as target:
        target.setparams(source.getparams())
        target.writeframes(source.readframes(source.getnframes()))
        pause = _PAUSE_SECONDS * source.getframerate() * source.getsampwidth()
        target.writeframes(bytes(pause * source.getnchannels()))
    return recording
