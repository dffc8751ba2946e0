"""The mark on a human whom an agent is done with: nobody is sent for them. No I/O.

It stands among the human's attributes, which LiveKit keeps through a reconnect and forgets when
they join anew. Only holders of the API secret can make one, and it holds for one human of one room.
"""

import hmac
from collections.abc import Iterable, Mapping, Sequence

_PREFIX = "token_server.released."
# Keeps a mark apart from everything else that is signed with the secret.
_PURPOSE = "livekit-token-server released v1"


def release_attribute(agent_name: str) -> str:
    """Return the attribute that an agent's mark stands in; each name has its own."""
    return f"{_PREFIX}{agent_name}"


def release_mark(
    api_secret: str, room_name: str, participant_identity: str, agent_name: str
) -> str:
    """Return the mark: an HMAC-SHA256 in hex over the four lines that it is about."""
    about = f"{_PURPOSE}\n{room_name}\n{participant_identity}\n{agent_name}"
    return hmac.digest(api_secret.encode(), about.encode(), "sha256").hex()


def is_released(
    api_secrets: Iterable[str],
    room_name: str,
    participant_identity: str,
    agent_name: str,
    attributes: Mapping[str, str],
) -> bool:
    """Say whether a human's attributes have a genuine mark of this agent.

    Args:
        api_secrets: Each that may have made it: calls outlast the exchange of a key.
        room_name: Where they are.
        participant_identity: Who they are.
        agent_name: Whose mark it is.
        attributes: Theirs, as LiveKit lists them.
    """
    unverified = attributes.get(release_attribute(agent_name))
    if not unverified:
        return False
    marks = (
        release_mark(secret, room_name, participant_identity, agent_name) for secret in api_secrets
    )
    return any(hmac.compare_digest(mark.encode(), unverified.encode()) for mark in marks)


def released_from(
    api_secrets: Sequence[str],
    room_name: str,
    participant_identity: str,
    attributes: Mapping[str, str],
) -> list[str]:
    """Name the agents whose genuine marks a human's attributes have; see `is_released`."""
    names = (name.removeprefix(_PREFIX) for name in attributes if name.startswith(_PREFIX))
    return [
        name
        for name in names
        if is_released(api_secrets, room_name, participant_identity, name, attributes)
    ]


def without_marks(attributes: Mapping[str, str]) -> dict[str, str]:
    """Return a human's attributes as if no agent had ever released them."""
    return {name: value for name, value in attributes.items() if not name.startswith(_PREFIX)}
