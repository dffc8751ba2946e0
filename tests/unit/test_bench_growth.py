"""What `make bench` reads from Linux and from livekit-server."""

import os

from bench.growth.calls import count_calls
from bench.growth.usage import Stat, cpu_seconds, memory_mib

PAGE = """\
# TYPE livekit_node_twirp_request_status counter
livekit_node_twirp_request_status{code="",method="CreateRoom",status="200"} 3
livekit_node_twirp_request_status{code="not_found",method="ListRooms",status="404"} 2
livekit_node_twirp_request_latency_ms_count{method="CreateRoom",status="200"} 3
"""


def test_calls_are_counted_whatever_their_method_and_status() -> None:
    """A refused call costs LiveKit as much as another."""
    assert 5 == count_calls(PAGE)


def test_a_process_with_any_name_is_read() -> None:
    """A name may have blanks and parentheses, and gunicorn's has."""
    text = "7 (gunicorn: (1) x) S 1 7 42 0 -1 0 0 0 0 0 250 50 0 0 20 0 1 0 0 0 0"

    assert Stat(session=42, ticks=300) == Stat.from_text(text)


def test_our_own_use_is_seen() -> None:
    """The figures are of processes that run, not of none."""
    session = os.getsid(0)

    assert cpu_seconds(session) > 0
    assert memory_mib(session) > 1
