"""Where requests end, as a reader of HTTP says that takes part in nothing else: h11. Pure."""

import re
from dataclasses import dataclass
from enum import Enum, auto

import h11

_ENOUGH_BYTES = 1_000_000
_BARE_LINE_FEED = re.compile(rb"(?<!\r)\n")


class End(Enum):
    """What comes after the last whole request; WRONG too if that is a matter of opinion."""

    NOTHING = auto()
    CUT_OFF = auto()
    WRONG = auto()


@dataclass(frozen=True)
class Framing:
    """The methods of the whole requests, and what comes after them."""

    methods: tuple[bytes, ...]
    end: End


def framing(sent: bytes) -> Framing:
    """Tell how many requests the bytes are."""
    found = _framing(sent)
    # h11 takes a bare line feed for the end of a line, and nginx does; gunicorn does not.
    is_clear = found.end is not End.NOTHING or not _BARE_LINE_FEED.search(sent)
    return found if is_clear else Framing(found.methods, End.WRONG)


def _framing(sent: bytes) -> Framing:
    methods: list[bytes] = []
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=_ENOUGH_BYTES)
    connection.receive_data(sent)
    method = None
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                method = event.method
            elif isinstance(event, h11.EndOfMessage) and method is not None:
                methods.append(method)
                method = None
                _answer(connection)
                if connection.our_state is not h11.DONE:  # the last one
                    is_all = not connection.trailing_data[0]
                    return Framing(tuple(methods), End.NOTHING if is_all else End.WRONG)
                connection.start_next_cycle()
            elif not isinstance(event, h11.Data):
                is_all = method is None and not connection.trailing_data[0]
                return Framing(tuple(methods), End.NOTHING if is_all else End.CUT_OFF)
    except h11.ProtocolError:
        return Framing(tuple(methods), End.WRONG)


def _answer(connection: h11.Connection) -> None:
    connection.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
    connection.send(h11.EndOfMessage())
