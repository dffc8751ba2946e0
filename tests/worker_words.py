"""What workers tell, for tests: signed as ours sign it."""

import base64
import hashlib
import time
from typing import Any

import jwt

from tests.processes import AGENT_NAME, API_KEY, API_SECRET
from token_server.state.workers import Word

PROCESS = "0" * 31 + "1"
JOB = {"dispatch_id": "AD_1", "room_name": "kitchen"}
WORD = {
    "process": PROCESS,
    "sequence": 1,
    "worker_id": "AW_1",
    "agent_name": AGENT_NAME,
    "host": "engine-room",
    "registered_for": 60.0,
    "calls": 0,
    "max_calls": 2,
    "is_draining": False,
    "is_leaving": False,
    "jobs": [],
}


def word(**changes: object) -> Word:
    """Return the word of an idle worker, with these changes."""
    return Word.model_validate({**WORD, **changes} | _jobs(changes))


def _jobs(changes: dict[str, Any]) -> dict[str, Any]:
    return {"jobs": tuple(changes.get("jobs", ()))}


def process(number: int) -> str:
    """Name a worker's process."""
    return f"{number:032x}"


def sign_word(body: bytes, secret: str = API_SECRET, **changes: object) -> str:
    """Return a worker's Authorization header for this body, with these claims changed."""
    claims = {
        "iss": API_KEY,
        "aud": "livekit-token-server/workers",
        "exp": int(time.time()) + 60,
        "sha256": base64.b64encode(hashlib.sha256(body).digest()).decode(),
    } | changes
    return jwt.encode({k: v for k, v in claims.items() if v is not None}, secret, "HS256")
