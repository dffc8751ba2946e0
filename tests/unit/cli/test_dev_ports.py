"""Which ports `make dev` takes, and what it says when it cannot."""

import itertools
import socket
from collections.abc import Callable

import pytest

from token_server.cli.dev import DevError
from token_server.cli.dev.ports import Ports, choose_ports, is_free


def choose(environ: dict[str, str], *taken: int) -> Ports:
    """Choose on a machine where those are taken and 50000 and up are free."""
    return choose_ports(environ, lambda port: port not in taken, _count_from(50_000))


def _count_from(start: int) -> Callable[[], int]:
    numbers = itertools.count(start)
    return lambda: next(numbers)


def test_usual_ports_where_they_are_free() -> None:
    """Documentation and bookmarks name them."""
    ports = choose({})

    assert (8080, 8081, 7880) == (ports.web, ports.worker_health, ports.livekit)


def test_a_second_stack_needs_only_another_port() -> None:
    """Two checkouts can be tried side by side."""
    ports = choose({"PORT": "9000"}, 8080, 8081, 7880, 7881, 7882)

    assert (9000, 50_000, 50_001, 50_002, 50_003) == (
        ports.web,
        ports.worker_health,
        ports.livekit,
        ports.livekit_rtc_tcp,
        ports.livekit_rtc_udp,
    )


def test_the_web_port_may_be_one_of_the_usual_others() -> None:
    """PORT=7880 or PORT=8081 must not collide with our own children."""
    assert (50_000, 50_000) == (
        choose({"PORT": "7880"}).livekit,
        choose({"PORT": "8081"}).worker_health,
    )


@pytest.mark.parametrize(
    ("environ", "taken", "sentence"),
    [
        pytest.param({}, 8080, r"port 8080 is taken.*make dev PORT=8090", id="usual"),
        pytest.param({"PORT": "9000"}, 9000, r"port 9000 .*PORT=9010", id="chosen"),
        pytest.param({"PORT": "65530"}, 65530, r"PORT=65520", id="last-ports"),
        pytest.param({"LIVEKIT_AGENT_PORT": "9001"}, 9001, r"LIVEKIT_AGENT_PORT=9011", id="agent"),
        pytest.param({"PORT": "http"}, 0, r"PORT must be a port .*'http'", id="word"),
        pytest.param({"PORT": "65536"}, 0, r"PORT must be a port", id="too-high"),
        pytest.param({"PORT": "-1"}, 0, r"PORT must be a port", id="negative"),
    ],
)
def test_a_port_that_cannot_be_is_named(environ: dict[str, str], taken: int, sentence: str) -> None:
    """The person at the terminal reads which port, and the command that works instead."""
    with pytest.raises(DevError, match=sentence):
        choose(environ, taken)


def test_a_listening_port_is_not_free() -> None:
    """The question is put to the operating system, on the address that servers use."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        while_listening = is_free(port)

    assert (False, True) == (while_listening, is_free(port))
