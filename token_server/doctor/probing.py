"""The last check, for real: a token, a human who joins with it, and the agent that should come.

A room of its own, which is deleted however this ends.
"""

import asyncio
import time
from datetime import timedelta

from token_server.doctor import arrival, issued_token
from token_server.doctor.absence import Surroundings
from token_server.doctor.asking import Answer
from token_server.doctor.audience import Audience, is_good
from token_server.doctor.checks import Finding, skipped
from token_server.doctor.issued_token import IssuedToken
from token_server.doctor.patient import Patient
from token_server.doctor.probe_room import LiveKit
from token_server.doctor.regions import check_region
from token_server.doctor.sights import Sights
from token_server.doctor.webhook_watch import WebhookWatch
from token_server.doctor.worker import ask_worker
from token_server.errors import TokenServerError
from token_server.rooms import Room
from token_server.twirp import Twirp

# Seconds from the doctor's start to the end of its visit; what follows takes about one.
_VISIT_ENDS_AT = 11.5
# Seconds after the join in which an agent comes, or does not by itself: LiveKit lists a job up to
# 5 s late (facts, 7), and the token server sends for the agent again after 6.
_AGENT_DUE = 8.0
_SERVER_ERROR = 500


class Probing:
    """One probe."""

    def __init__(self, patient: Patient, audience: Audience, started: float) -> None:
        self._patient, self._audience, self._started = patient, audience, started
        self._livekit = LiveKit(Twirp.of(patient.settings))
        self._room_name = ""  # to be deleted

    def run(self) -> None:
        """Do it, and leave nothing behind."""
        self._watch = WebhookWatch(self._patient)
        worker = ask_worker(self._patient.worker_port)
        self._jobs_before = worker.active_jobs if worker else 0
        try:
            if token := self._fetch_token():
                self._visit(token)
                self._audience.doing("asking about webhooks")
                self._audience.found(self._watch.check())
        finally:
            if self._room_name:
                self._audience.doing("cleaning up")
                self._audience.found(self._livekit.clear(self._room_name))

    def _fetch_token(self) -> IssuedToken | None:
        """Return a token that is worth a visit."""
        self._audience.doing("asking for a token")
        fields, server = self._patient.fields(), self._patient.server
        self._room_name = fields.get("room_name", "")
        self._asked_at = time.monotonic()
        answer = issued_token.fetch(server, fields)
        self._token_at = time.monotonic() - self._asked_at
        check = issued_token.check_issued(
            answer, self._patient.settings, has_login=bool(server.login)
        )
        token = issued_token.read(answer)
        if not is_good(self._audience, check) or token is None:
            if isinstance(answer, Answer) and answer.status < _SERVER_ERROR:
                self._room_name = ""  # it has made none
            self._skip("there is a token")
            return None
        self._room_name = token.room_name
        return token if self._is_ours(token) else None

    def _is_ours(self, token: IssuedToken) -> bool:
        """Compare what the token says with the settings here."""
        settings = self._patient.settings
        self._room, has_room = self._find_room()
        same = issued_token.check_same_livekit(token, settings, has_room=has_room)
        self._audience.found(same)
        now = self._livekit.rooms.now()
        self._audience.found(issued_token.check_lifetime(token, now.timestamp()))
        if has_room is False or same.finding is not Finding.OK:
            self._skip("the token server and this command agree")
            if not has_room:
                self._room_name = ""  # it is not ours to delete, and ends by itself
            return False
        return True

    def _find_room(self) -> tuple[Room | None, bool | None]:
        try:
            room = self._livekit.find(self._room_name)
        except TokenServerError:
            return None, None
        return room, room is not None

    def _visit(self, token: IssuedToken) -> None:
        # These take a second to import, which only a probe has to wait for.
        from token_server.doctor import server_version  # noqa: PLC0415
        from token_server.doctor.visit import Patience, Visit  # noqa: PLC0415

        info = server_version.ask_version(self._patient.settings, token.room_name)
        self._audience.found(server_version.check_version(info))
        sights = self._sights(token)
        now = time.monotonic()
        patience = Patience(
            started=self._asked_at,
            ends_at=min(now + _AGENT_DUE, self._started + _VISIT_ENDS_AT) - self._asked_at,
        )
        visit = Visit(token, self._livekit.rooms, sights, patience)
        with self._watch.first() as first:
            asyncio.run(visit.run(self._audience.doing))
        sights.webhook_at = None if first.came_at is None else first.came_at - self._asked_at
        if sights.connected_at is None:
            sights.join_refusal = server_version.refusal_of_join(token)
        self._tell(sights, token)

    def _sights(self, token: IssuedToken) -> Sights:
        born = self._room.created_at if self._room else self._livekit.rooms.now()
        return Sights(
            room_name=token.room_name,
            agent_name=token.agent_name,
            # The room is made in the middle of the request, as far as we know.
            zero=born - timedelta(seconds=self._token_at / 2),
            room_at=self._token_at / 2 if self._room else None,
            token_at=self._token_at,
        )

    def _tell(self, sights: Sights, token: IssuedToken) -> None:
        self._audience.timed(sights.timeline())
        if not is_good(self._audience, arrival.check_join(sights, token.server_url)):
            self._audience.found(skipped("agent", "Not before a human can join."))
            return
        self._audience.found(arrival.check_agent(sights, self._surroundings(sights)))
        self._audience.found(arrival.check_audio(sights))
        if region := check_region(sights):
            self._audience.found(region)

    def _surroundings(self, sights: Sights) -> Surroundings:
        port = self._patient.worker_port
        if sights.agent:
            return Surroundings(worker=None, worker_port=port)
        return Surroundings(
            worker=ask_worker(port),
            worker_port=port,
            jobs_before=self._jobs_before,
            other_names=self._livekit.other_agent_names(sights.room_name),
        )

    def _skip(self, until: str) -> None:
        for name in ("join", "agent", "webhooks"):
            self._audience.found(skipped(name, f"Not before {until}."))
