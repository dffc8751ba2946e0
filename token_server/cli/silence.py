"""Why a server gives no answer, and what to do about it. No I/O."""

import errno
import socket
import ssl
from enum import Enum
from urllib.parse import urlsplit

from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationValueError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)

# Seconds: to be connected to, and for an answer.
CONNECT = 2.0
ANSWER = 4.0


class Silence(Enum):
    """Why there is no answer, in words."""

    MALFORMED = "that is no URL like http://HOST:PORT"
    UNKNOWN_HOST = "the name of the host is not known (DNS)"
    REFUSED = "connection refused: nothing listens on that port"
    NO_WAY = "no network leads to that host from here"
    NOT_CONNECTED = "no connection within {connect:g} s: no such host, or a firewall"
    NO_ANSWER = "connected, but no answer within {answer:g} s"
    CLOSED = "the connection was closed without an HTTP answer"
    CERTIFICATE = "its certificate is not good"
    SLOW_TLS = "TLS was not answered in time"
    NO_TLS = "it does not speak TLS on that port (ws:// and http:// are without)"


# The first that fits: urllib3's NameResolutionError is a NewConnectionError, and that is a
# ConnectTimeoutError.
_KINDS: dict[type[Exception], Silence] = {
    LocationValueError: Silence.MALFORMED,
    NameResolutionError: Silence.UNKNOWN_HOST,
    NewConnectionError: Silence.NO_WAY,
    ConnectTimeoutError: Silence.NOT_CONNECTED,
    ReadTimeoutError: Silence.NO_ANSWER,
    ProtocolError: Silence.CLOSED,
}


def silence_of(
    error: HTTPError, connect: float = CONNECT, answer: float = ANSWER
) -> tuple[Silence | None, str]:
    """Return why there is no answer, and the same in words; None for what has no case here.

    Args:
        error: What was met.
        connect: Seconds that there were to be connected to.
        answer: Seconds that there were for an answer.
    """
    if isinstance(error, SSLError):
        return _of_tls(error)
    if isinstance(error.__cause__, ConnectionRefusedError):
        return Silence.REFUSED, Silence.REFUSED.value
    kind = next((found for kind, found in _KINDS.items() if isinstance(error, kind)), None)
    if kind is Silence.NO_WAY and isinstance(error.__cause__, OSError) and error.__cause__.errno:
        code = errno.errorcode.get(error.__cause__.errno, "")
        return kind, f"{kind.value} ({code})"
    if kind is None:
        return None, type(error).__name__
    return kind, kind.value.format(connect=connect, answer=answer)


def _of_tls(error: SSLError) -> tuple[Silence, str]:
    cause = error.args[0] if error.args else None
    if isinstance(cause, ssl.SSLCertVerificationError):
        return Silence.CERTIFICATE, f"{Silence.CERTIFICATE.value}: {cause.verify_message}"
    kind = Silence.SLOW_TLS if isinstance(cause, socket.timeout) else Silence.NO_TLS
    return kind, kind.value


_CURES = {
    Silence.MALFORMED: "Correct {address}.",
    Silence.UNKNOWN_HOST: "Correct the host in {address}: no DNS here knows {host}.",
    Silence.NO_WAY: "Correct {address}, or this machine's network: it does not reach {host}.",
    Silence.NOT_CONNECTED: "Correct {address}, or let this machine through to {host}: a firewall"
    " drops what is sent there, or there is no such machine.",
    Silence.NO_ANSWER: "Restart what listens at {host}, which takes connections and answers"
    " nothing; or correct {address}, if that is another program.",
    Silence.CLOSED: "Correct {address}: what listens at {host} is another program, or speaks TLS"
    " where the address has none (then wss:// or https://).",
    Silence.CERTIFICATE: "Give {host} a certificate for that name that a known authority has signed"
    " and that has not expired; or, if an authority of your own has signed it, set SSL_CERT_FILE to"
    " that authority's PEM file, for whoever connects there.",
    Silence.NO_TLS: "Set {address} without TLS (ws:// or http://), or let {host} speak TLS.",
}


def cure_of(silence: Silence | None, url: str, address: str) -> str:
    """Return what to do where it is not enough that the server is started; "" where it is.

    Args:
        silence: Why it does not answer.
        url: Its address.
        address: Where that is set, for people to read.
    """
    if silence not in _CURES:
        return ""
    host = "" if silence is Silence.MALFORMED else urlsplit(url).netloc
    return _CURES[silence].format(address=address, host=host)
