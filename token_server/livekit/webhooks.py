"""LiveKit's webhooks: verified on the raw bytes, answered at once, never more than a hint.

They come late, twice, out of order or not at all (livekit-behaviour 51), so an event says only
"look at this room now". LiveKit repeats what it is answered 429 or 5xx, and nothing else: a bad
signature is 401, signed rubbish 400, and what we do not know is 200 and ignored.
"""

import json
import logging
from collections.abc import Callable, Mapping
from typing import Protocol

from google.protobuf.json_format import Parse, ParseError
from livekit.protocol.webhook import WebhookEvent

from token_server.errors import InvalidRequestError
from token_server.livekit.port import Participant
from token_server.livekit.protobufs import LATEST_SECONDS, to_participant
from token_server.livekit.signed_bodies import SignedBodies

logger = logging.getLogger(__name__)

# Bytes. A webhook carries a participant with all its metadata and attributes: LiveKit allows
# 512 KiB and 64 KiB of these (livekit-behaviour 15).
WEBHOOK_BODY_LIMIT = 2 * 1024 * 1024

# The events after which somebody is in a room, or not any more.
_SOMEBODY_CAME_OR_WENT = {
    "participant_joined",
    "participant_left",
    "participant_connection_aborted",
}
_OF_INTEREST = _SOMEBODY_CAME_OR_WENT | {"track_published", "room_finished"}
# Those that a log is read for; the others are lines at debug level.
_LOGGED = _SOMEBODY_CAME_OR_WENT | {"room_finished"}
_SIGNATURE = "LiveKit's signature with LIVEKIT_API_KEY, or with one of LIVEKIT_WEBHOOK_KEYS"
_NO_EVENT = "body must be a webhook event in LiveKit's JSON"


class WebhookListener(Protocol):
    """Who wants to know; the keeper."""

    def webhook_arrived(self, event: str, created_at: float) -> None:
        """Know that webhooks reach us.

        Args:
            event: What LiveKit calls it; any text.
            created_at: When that was (Unix seconds); 0: unknown.
        """

    def participant_changed(
        self, room_name: str, participant: Participant, *, is_here: bool
    ) -> None:
        """Look at a room, somebody has come or gone."""

    def track_published(self, room_name: str, participant: Participant) -> None:
        """Know that somebody can be heard or seen; of them, LiveKit tells identity and sid only."""

    def room_ended(self, room_name: str, room_sid: str) -> None:
        """Know that a room is no more."""


class Webhooks:
    """Receives webhooks signed with one of our API keys and tells the listener.

    Args:
        api_secrets: The secret of each API key; several while they are being exchanged.
        listener: Who wants to know.
    """

    def __init__(self, api_secrets: Mapping[str, str], listener: WebhookListener) -> None:
        self._bodies, self._listener = SignedBodies(api_secrets, _SIGNATURE), listener

    def receive(
        self, read_body: Callable[[], bytes], unverified_authorization: str
    ) -> WebhookEvent | None:
        """Take one POST of LiveKit's.

        Args:
            read_body: Returns the raw bytes as they came, over which the signature is; of a
                stranger nothing is read.
            unverified_authorization: The Authorization header: a JWT, claim sha256 = the
                body's SHA-256 in base64; LiveKit sends it without "Bearer" (livekit-behaviour 52).

        Returns:
            The event, if it is one that the listener was told more of.

        Raises:
            UnauthenticatedError: Not signed with our key, or not for this body.
            InvalidRequestError: Signed, but not a webhook event.

        Source:
            https://docs.livekit.io/home/server/webhooks/
        """
        body = self._bodies.read(read_body, unverified_authorization)
        # Most events are none of our business, and this is cheaper than a whole WebhookEvent.
        kind, created_at, room_name = _kind(body)
        event = _parse(body) if kind in _OF_INTEREST else None
        _log(kind, room_name, event.participant.identity if event else "")
        self._listener.webhook_arrived(kind, created_at)
        if event and event.room.name:
            self._tell(event)
        return event

    def _tell(self, event: WebhookEvent) -> None:
        room_name, participant = event.room.name, to_participant(event.participant)
        if event.event in _SOMEBODY_CAME_OR_WENT:
            is_here = event.event == "participant_joined"
            self._listener.participant_changed(room_name, participant, is_here=is_here)
        elif event.event == "room_finished":
            self._listener.room_ended(room_name, event.room.sid)
        else:
            self._listener.track_published(room_name, participant)


def _kind(body: bytes) -> tuple[str, float, str]:
    """Return what the event calls itself, its time, and its room; "" or 0 for what is not said."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidRequestError(_NO_EVENT) from None
    kind = event.get("event", "") if isinstance(event, dict) else None
    if not isinstance(kind, str):
        raise InvalidRequestError(_NO_EVENT)
    room = event.get("room")
    room_name = room.get("name") if isinstance(room, dict) else ""
    return kind, _unix_seconds(event.get("createdAt")), str(room_name or "")


def _log(kind: str, room_name: str, participant_identity: str) -> None:
    """Write the one line of a genuine webhook, with the room by which others are found."""
    level = logging.INFO if kind in _LOGGED else logging.DEBUG
    if logger.isEnabledFor(level):
        known = {"room": room_name, "kind": kind, "identity": participant_identity}
        logger.log(level, "Webhook", extra={name: value for name, value in known.items() if value})


def _unix_seconds(created_at: object) -> float:
    """Read a protobuf int64 as JSON has it, a string; 0 for what is no time."""
    try:
        seconds = float(created_at)  # type: ignore[arg-type]  # a TypeError if it does not fit
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return seconds if 0.0 < seconds < LATEST_SECONDS else 0.0


def _parse(body: bytes) -> WebhookEvent:
    try:
        return Parse(body, WebhookEvent(), ignore_unknown_fields=True)
    except (ParseError, UnicodeDecodeError, RecursionError):
        raise InvalidRequestError(_NO_EVENT) from None
