"""What a caller can find out, with nothing but the token server's address and a login."""

import asyncio
import secrets
import time
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from token_server.cli.doctor import arrival, issued_token, server
from token_server.cli.doctor.asked_agent import fields_of
from token_server.cli.doctor.checks import Check, Trouble, ok, skipped
from token_server.cli.doctor.issued_token import IssuedToken
from token_server.cli.doctor.joining import unreachable
from token_server.cli.doctor.probe_observation import ProbeObservation
from token_server.cli.doctor.report import Report
from token_server.cli.doctor.server import Server
from token_server.cli.doctor.steps import Again
from token_server.errors import PermissionDeniedError
from token_server.keeper.absence_reasons import name_of
from token_server.livekit.port import Dispatch, Participant, RpcOutcome
from token_server.proxies import Proxies, proxy_setting

# Seconds. What only the server's own settings could tell is not waited for.
_AGENT_DUE = 8.0
_PROBE = ("join", "agent")
_WITHOUT_SECRET = "No LiveKit key is set here: this looks as a caller does."  # noqa: S105 (words)


@dataclass(frozen=True, kw_only=True)
class Outside:
    """What is known of a server that is another's.

    Attributes:
        server: Where it is, and what is shown to it.
        origin: The origin of the frontend's pages; "" if it was not given.
        agent_name: The agent that is asked for; "" likewise.
        proxies: What leads out of this network.
        process: The environment of this process; LiveKit's client reads its proxy there.
    """

    server: Server
    origin: str
    proxies: Proxies
    agent_name: str
    process: MutableMapping[str, str] = field(repr=False)


class UntoldLiveKit:
    """LiveKit's API for somebody without a key: it tells nothing."""

    def list_participants(self, room_name: str) -> Sequence[Participant]:
        """Say nothing."""
        raise PermissionDeniedError(room_name)

    def list_dispatches(self, room_name: str) -> Sequence[Dispatch]:
        """Say nothing."""
        raise PermissionDeniedError(room_name)

    def ask_participant(self, *_: str) -> RpcOutcome:
        """Say nothing."""
        return RpcOutcome.UNKNOWN


def examine_outside(outside: Outside, report: Report) -> None:
    """Do what can be done; the room ends by itself."""
    report.found(skipped("settings", _WITHOUT_SECRET))
    health = outside.server.ask("GET", "/healthz")
    if not report.found(server.check_server(outside.server, health)):
        return
    report.found(server.check_ready(outside.server.ask("GET", "/readyz")))
    if outside.origin:
        answer = server.preflight(outside.server, outside.origin)
        report.found(server.check_cors(outside.server, outside.origin, answer))
    asked_at = time.monotonic()
    if token := _fetch_token(outside, report):
        outside.process[proxy_setting(token.server_url)] = outside.proxies.to(token.server_url)
        _visit(token, report, asked_at)


def _fetch_token(outside: Outside, report: Report) -> IssuedToken | None:
    name, agent_name = f"doctor-{secrets.token_hex(6)}", outside.agent_name
    fields = {"room_name": name, "participant_identity": name, **fields_of(agent_name)}
    answer = issued_token.fetch(outside.server, fields)
    check = issued_token.check_issued(
        answer, None, has_login=bool(outside.server.login), agent_name=agent_name
    )
    report.found(check)
    token = issued_token.read(answer)
    if token is None:
        report.skip(_PROBE, "there is a token")
        return None
    # Whose clock is right, only LiveKit's API would tell; how long it is good, its own times do.
    report.found(issued_token.check_lifetime(token, float(token.claims.get("nbf", time.time()))))
    return token


def _visit(token: IssuedToken, report: Report, asked_at: float) -> None:
    from token_server.cli.doctor.visit import Visit  # noqa: PLC0415 (a second to import)

    now = time.monotonic() - asked_at
    zero = datetime.now(UTC) - timedelta(seconds=now)
    seen = ProbeObservation(
        room_name=token.room_name,
        agent_name=token.agent_name,
        zero=zero,
        room_at=None,
        token_at=now,
    )
    visit = Visit(token, UntoldLiveKit(), seen, asked_at)
    asyncio.run(visit.run(report.doing, ends_at=now + _AGENT_DUE))
    report.timed(seen.timeline())
    if not report.found(check_join(seen, token.server_url)):
        report.skip(["agent"], "a human can join")
        return
    report.found(check_agent(seen))
    report.found(arrival.check_audio(seen))


def check_join(seen: ProbeObservation, server_url: str) -> Check:
    """Say whether a human can join."""
    if seen.connected_at is None:
        says = f"A human with a good token cannot join at {server_url}."
        return unreachable(server_url).wrong("join", says, seen.join_error)
    seconds = seen.connected_at - seen.token_at
    return ok("join", f"A human is in the room {seconds:.2f} s after their token.")


def check_agent(seen: ProbeObservation) -> Check:
    """Say whether the agent came; why it did not, only the server's own settings tell."""
    if seen.agent:
        return arrival.check_agent(seen, arrival.Surroundings(worker=None, worker_port=0))
    return Trouble(
        "agent-absent",
        "Let the token server's operator run this where its settings are: there LiveKit is asked,"
        " and tells why.",
        (Again(),),
    ).wrong(
        "agent",
        f"The token names {name_of(seen.agent_name)}, and it did not come.",
        f"nobody within {seen.ended_at - (seen.connected_at or 0.0):.0f} s of the join",
    )
