"""What the simulated LiveKit answers: a message, or Twirp's refusal, perhaps after a while."""

import json
from dataclasses import dataclass
from http import HTTPStatus

from google.protobuf.message import Message


@dataclass(frozen=True)
class Refusal:
    """An error: in Twirp's JSON, or in plain words where it has no code."""

    status: int
    code: str
    msg: str

    @property
    def body(self) -> bytes:
        """As it goes out."""
        text = json.dumps({"code": self.code, "msg": self.msg}) if self.code else self.msg
        return text.encode()

    @property
    def content_type(self) -> str:
        """Of the body."""
        return "application/json" if self.code else "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Reply:
    """An answer, and how many seconds LiveKit itself takes for it."""

    what: Message | Refusal
    after: float = 0.0


def not_found(msg: str) -> Reply:
    """Return the refusal for what is not there."""
    return Reply(Refusal(HTTPStatus.NOT_FOUND, "not_found", msg))
