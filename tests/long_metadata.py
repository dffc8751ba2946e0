"""A job's metadata of 8 KiB, as a backend sends it: who calls, what about, what was said before."""

import json
from pathlib import Path

# As JSON.stringify writes it.
LONG_METADATA = json.dumps(
    json.loads(Path(__file__).with_suffix(".json").read_text()),
    ensure_ascii=False,
    separators=(",", ":"),
)
