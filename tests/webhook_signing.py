"""Webhooks as LiveKit sends them, signed with livekit-api."""

import base64
import hashlib
import json
from datetime import timedelta

from livekit.api import AccessToken

from tests.processes import API_KEY, API_SECRET

JOINED = {
    "event": "participant_joined",
    "room": {"name": "kitchen", "sid": "RM_1"},
    "participant": {"identity": "alice", "sid": "PA_1", "joinedAtMs": "1767225600000"},
    "id": "EV_1",
    "createdAt": "1767225600",
}


def joined(**changes: object) -> bytes:
    """Return the body of a participant_joined event, with these top level fields changed."""
    return json.dumps(JOINED | changes).encode()


def sign(
    body: bytes,
    *,
    key: str = API_KEY,
    secret: str = API_SECRET,
    ttl: timedelta = timedelta(minutes=5),
) -> str:
    """Return the Authorization header that LiveKit would send with this body."""
    sha256 = base64.b64encode(hashlib.sha256(body).digest()).decode()
    return AccessToken(key, secret).with_sha256(sha256).with_ttl(ttl).to_jwt()
