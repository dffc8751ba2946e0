"""Reads the metadata of a job, whichever way its dispatch came about. No I/O."""

import json
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class JobMetadata:
    """What a dispatch says to its agent; never logged, only sizes are.

    Attributes:
        text: The metadata as the dispatch carries it: free text or JSON.
        unverified_instructions: What a JSON object has under "instructions", whoever wrote it.
    """

    text: str = field(repr=False)
    unverified_instructions: str | None = field(default=None, repr=False)

    @property
    def size(self) -> int:
        """The length of the text in bytes of UTF-8."""
        return len(self.text.encode())

    @property
    def instructions_size(self) -> int:
        """The length of the instructions in bytes of UTF-8."""
        return len((self.unverified_instructions or "").encode(errors="replace"))


def job_metadata(text: str) -> JobMetadata:
    """Read a job's metadata: any text is fine, and a JSON object may carry instructions."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    instructions = document.get("instructions") if isinstance(document, dict) else None
    if not isinstance(instructions, str) or not instructions.strip():
        instructions = None
    return JobMetadata(text=text, unverified_instructions=instructions)
