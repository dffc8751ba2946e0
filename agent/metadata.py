"""Reads the metadata of a job, whichever way its dispatch came about. No I/O."""

import json
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class JobMetadata:
    """What a dispatch says to its agent; never logged, only its size is.

    Attributes:
        text: The metadata as the dispatch carries it: free text or JSON.
        instructions: What a JSON object has under "instructions"; how the voice agent behaves.
    """

    text: str = field(repr=False)
    instructions: str | None = field(default=None, repr=False)

    @property
    def size(self) -> int:
        """The length of the text in bytes of UTF-8."""
        return len(self.text.encode())


def job_metadata(text: str) -> JobMetadata:
    """Read a job's metadata: any text is fine, and a JSON object may carry instructions."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    instructions = document.get("instructions") if isinstance(document, dict) else None
    if not isinstance(instructions, str) or not instructions.strip():
        instructions = None
    return JobMetadata(text=text, instructions=instructions)
