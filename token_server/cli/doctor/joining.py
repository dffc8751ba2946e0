"""Did the human get in where clients are sent to, and if not, why? No I/O."""

from urllib.parse import urlsplit

from shared_settings.livekit_url import websocket_url
from token_server.cli.doctor.checks import TOO_OLD, Check, Trouble, ok
from token_server.cli.doctor.livekit import http_url
from token_server.cli.doctor.probe_observation import ProbeObservation
from token_server.cli.doctor.steps import LIVEKIT_IP, PUBLIC_URL, Again, Setting, Start
from token_server.settings import Settings

# Of another LiveKit, which has other keys.
_UNKNOWN_HERE = {"key", "secret", "either"}


def check_join(seen: ProbeObservation, server_url: str, settings: Settings) -> Check:
    """Say whether a human gets into the room.

    Args:
        seen: What the probe saw.
        server_url: Where the token server sends clients.
        settings: Ours, which should be the token server's.
    """
    # The room is on our LiveKit, so it is not LIVEKIT_URL that leads to another one.
    is_other = server_url != websocket_url(settings.livekit_url)
    if seen.connected_at is None:
        return _failed(seen, server_url, settings, is_other=is_other)
    if is_other and not seen.is_listed and not seen.failed_looks:
        return _elsewhere(server_url, "the human has joined there, and our LiveKit lists nobody")
    seconds = seen.connected_at - seen.token_at
    return ok("join", f"A human is in the room {seconds:.2f} s after their token.")


def _failed(
    seen: ProbeObservation, server_url: str, settings: Settings, *, is_other: bool
) -> Check:
    if seen.why_not.refusal == "field":
        return TOO_OLD.wrong(
            "join",
            "LiveKit refuses the token, since there is a field in it that it does not know.",
            "HTTP 401: unknown field",
        )
    if seen.is_listed:
        return _no_media(seen, server_url)
    if is_other and seen.why_not.refusal in _UNKNOWN_HERE:
        return _elsewhere(server_url, "it does not take our key")
    trouble = _public(server_url) if settings.livekit_public_url else unreachable(server_url)
    says = f"A human with a good token cannot join at {server_url}."
    if seen.why_not.instead:
        says = f"No LiveKit answers where frontends are sent to, at {server_url}."
    return trouble.wrong("join", says, *filter(None, (seen.why_not.instead, seen.join_error)))


def _no_media(seen: ProbeObservation, server_url: str) -> Check:
    return Trouble(
        "media-blocked",
        f"Let whoever runs LiveKit open its media ports on {urlsplit(server_url).hostname} (by"
        " default UDP 50000-60000 and TCP 7881), say in its configuration (livekit.yaml) at which"
        f" address clients reach it, `rtc.node_ip: {LIVEKIT_IP}` (or `rtc.use_external_ip`), and"
        " start it again; then run this again.",
        (Again(),),
    ).wrong(
        "join",
        "LiveKit lets the human in, but no audio can pass: its media ports cannot be reached.",
        seen.join_error,
    )


def unreachable(server_url: str) -> Trouble:
    """Return what is wrong where frontends are sent to an address that is not theirs."""
    return Trouble(
        "join-failed",
        "Set LIVEKIT_PUBLIC_URL on the token server to the address at which frontends reach"
        f" LiveKit, and start it again: they are sent to {server_url}, its LIVEKIT_URL.",
        (Setting("LIVEKIT_PUBLIC_URL", PUBLIC_URL), Start.WEB),
    )


def _elsewhere(server_url: str, evidence: str) -> Check:
    says = f"Frontends are sent to {server_url}, which is another LiveKit than LIVEKIT_URL's."
    return _public(server_url).wrong("join", says, evidence)


def _public(server_url: str) -> Trouble:
    return Trouble(
        "public-url",
        "Set LIVEKIT_PUBLIC_URL on the token server to the address at which frontends reach the"
        " LiveKit of LIVEKIT_URL, with the path that a proxy gives it, if it does, and start it"
        f" again. It is wrong while `curl {http_url(server_url)}/` does not answer OK.",
        (Setting("LIVEKIT_PUBLIC_URL", PUBLIC_URL), Start.WEB),
    )
