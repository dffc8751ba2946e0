"""What may stand in a setting that is an address. No I/O."""

from urllib.parse import SplitResult, urlsplit


def check_livekit_url(value: str) -> str:
    """Return a LiveKit URL in its plainest spelling; ValueError says what is wrong with it."""
    parts = _split(value)
    if parts is None or parts.scheme not in {"ws", "wss", "http", "https"}:
        raise ValueError("must look like wss://HOST or ws://HOST:PORT")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("must be scheme, host and port only")
    return f"{parts.scheme}://{parts.netloc}"


def check_origins(value: tuple[str, ...]) -> tuple[str, ...]:
    """Return the origins; ValueError if a browser would never send one of them."""
    # flask-cors takes "*" inside an origin for a regular expression: https://*.example.com would
    # let https://xexample.com in, and not https://app.example.com.
    for origin in value:
        parts = _split(origin)
        if origin != "*" and (parts is None or f"{parts.scheme}://{parts.netloc}" != origin):
            raise ValueError("each must be * or look like https://HOST or http://HOST:PORT")
    return value


def _split(url: str) -> SplitResult | None:
    """Take a URL apart; None if it has no host, a bad port, or anything that is not of a host."""
    try:
        parts = urlsplit(url)
        is_good = parts.port is None or parts.port > 0
    except ValueError:
        return None
    is_good = is_good and bool(parts.hostname) and not set(parts.netloc) & set("@*? \t\\")
    return parts if is_good else None
