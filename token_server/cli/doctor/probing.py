"""The last check, for real: a token, a human who joins with it, and the agent that should come.

A room of its own, which is deleted however this ends.
"""

import asyncio
import contextlib
import time
from datetime import timedelta
from http import HTTPStatus

from livekit.protocol import room as room_protocol

from token_server.cli.doctor import arrival, ended_rooms, issued_token
from token_server.cli.doctor.arrival import Surroundings
from token_server.cli.doctor.checks import Check, Finding, Trouble, ok
from token_server.cli.doctor.ended_rooms import RoomTimeouts
from token_server.cli.doctor.issued_token import IssuedToken
from token_server.cli.doctor.joining import check_join
from token_server.cli.doctor.patient import Patient
from token_server.cli.doctor.probe_observation import ProbeObservation
from token_server.cli.doctor.regions import check_region
from token_server.cli.doctor.report import Report
from token_server.cli.doctor.steps import Again
from token_server.cli.doctor.webhook_watch import WebhookWatch
from token_server.cli.doctor.worker import ask_worker
from token_server.cli.doctor.worker_names import of_own_worker
from token_server.cli.doctor.worker_search import WorkerSearch, worker_of
from token_server.errors import TokenServerError
from token_server.livekit.port import ParticipantKind, Room
from token_server.livekit.twirp import Method, NotFoundError, Twirp
from token_server.livekit.twirp_livekit import RPC_TIMEOUTS, TwirpLiveKit

_LIST_ROOMS = Method("RoomService/ListRooms", room_protocol.ListRoomsResponse)
_DELETE_ROOM = Method("RoomService/DeleteRoom", room_protocol.DeleteRoomResponse)
# A keeper that acts at the very moment of the deletion makes the room again (CreateDispatch).
_TRIES = 5
_PAUSE = 0.2  # seconds
_MOST_ROOMS = 10
# Seconds from the doctor's start to the end of its visit; what follows takes about one.
_VISIT_ENDS_AT = 11.5
# Seconds after the join in which an agent comes, or does not by itself: LiveKit lists a job up to
# 5 s late (livekit-behaviour 26), and the token server sends for the agent again after 6.
_AGENT_DUE = 8.0
# Seconds. A job that was taken last, when the visit ended, may be about to die.
_JOB_DIES_WITHIN = 2.0
_PROBE = ("join", "agent", "webhooks")


class ProbedLiveKit(TwirpLiveKit):
    """LiveKit's rooms, with what only the doctor asks and does."""

    def find(self, room_name: str) -> Room | None:
        """Return a room, None if there is none of that name.

        Raises:
            TokenServerError: LiveKit does not say.
        """
        return next(iter(self.list_rooms([room_name])), None)

    def timeouts(self, room_name: str) -> RoomTimeouts | None:
        """Return when LiveKit ends a room; None if it does not say."""
        request = room_protocol.ListRoomsRequest(names=[room_name])
        try:
            found = self._twirp.call(_LIST_ROOMS, request, {"roomList": True})
        except TokenServerError:
            return None
        rooms = (
            RoomTimeouts(empty=r.empty_timeout, departure=r.departure_timeout) for r in found.rooms
        )
        return next(rooms, None)

    def other_agent_names(self, room_name: str) -> tuple[str, ...]:
        """Return the names of agents in a few other live rooms; what LiveKit does not say is not.

        The largest rooms first: an agent is more likely there.
        """
        try:
            rooms = [room for room in self.list_rooms() if room.room_name != room_name]
            rooms.sort(key=lambda room: -room.num_participants)
            names = {
                participant.agent_name
                for room in rooms[:_MOST_ROOMS]
                for participant in self.list_participants(room.room_name)
                if participant.kind is ParticipantKind.AGENT
            }
        except TokenServerError:
            return ()
        return tuple(sorted(names))

    def clear(self, room_name: str) -> Check:
        """Delete the room with everybody in it, and see that it stays away."""
        request = room_protocol.DeleteRoomRequest(room=room_name)
        try:
            for _ in range(_TRIES):
                with contextlib.suppress(NotFoundError):
                    self._twirp.call(_DELETE_ROOM, request, {"roomCreate": True})
                time.sleep(_PAUSE)
                if not self.find(room_name):
                    return ok("cleaning up", f"The probe's room {room_name} is gone.")
            reason = "it is there again"
        except TokenServerError as error:
            reason = str(error)
        return Trouble(
            "not-cleared",
            f"Nothing has to be done: it ends by itself. At once: `lk room delete {room_name}`.",
            (Again(),),
        ).unknown("cleaning up", f"The probe's room {room_name} may still be there.", reason)


class Probing:
    """One probe.

    Attributes:
        agent_name: The agent that it calls.
        has_come: Whether that has come, as it should.
    """

    def __init__(self, patient: Patient, report: Report, started: float) -> None:
        self._patient, self._report, self._started = patient, report, started
        settings = patient.settings
        self._livekit = ProbedLiveKit(Twirp.of(settings), Twirp.of(settings, RPC_TIMEOUTS))
        self._room_name = ""  # to be deleted
        self._room: Room | None = None
        self._had_visitor = False
        self.agent_name = patient.agent_name or settings.allowed_agent_names[0]
        self.has_come = False

    def run(self) -> None:
        """Do it, and leave nothing behind."""
        self._watch = WebhookWatch(self._patient)
        self._workers = WorkerSearch(self._patient)
        try:
            if token := self._fetch_token():
                self._visit(token)
                self._report.doing("asking about webhooks")
                self._report.found(self._watch.check(had_visitor=self._had_visitor))
        finally:
            if self._room_name:
                self._report.doing("cleaning up")
                self._report.found(self._livekit.clear(self._room_name))

    def _fetch_token(self) -> IssuedToken | None:
        """Return a token that is worth a visit."""
        self._report.doing("asking for a token")
        fields, server = self._patient.fields(), self._patient.server
        self._room_name = str(fields.get("room_name", ""))
        self._asked_at = time.monotonic()
        answer = issued_token.fetch(server, fields)
        self._token_at = time.monotonic() - self._asked_at
        has_login = bool(server.login)
        check = issued_token.check_issued(
            answer,
            self._patient.settings,
            has_login=has_login,
            agent_name=self._patient.agent_name,
        )
        token = issued_token.read(answer)
        if not self._report.found(check) or token is None:
            if not answer.silence and answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                self._room_name = ""  # it has made none
            self._report.skip(_PROBE, "there is a token")
            return None
        self._room_name, self.agent_name = token.room_name, token.agent_name
        return token if self._is_ours(token) else None

    def _is_ours(self, token: IssuedToken) -> bool:
        """Compare what the token says with the settings here."""
        settings = self._patient.settings
        has_room: bool | None = None
        with contextlib.suppress(TokenServerError):
            self._room = self._livekit.find(token.room_name)
            has_room = self._room is not None
        same = issued_token.check_same_livekit(
            token, settings, has_room=has_room, agent_name=self._patient.agent_name
        )
        self._report.found(same)
        now = self._livekit.now()
        self._report.found(issued_token.check_lifetime(token, now.timestamp()))
        if has_room is False or same.finding is not Finding.OK:
            self._report.skip(_PROBE, "the token server and this command agree")
            if not has_room:
                self._room_name = ""  # it is not ours to delete, and ends by itself
            return False
        self._report.found(self._check_ended_rooms(token))
        return True

    def _check_ended_rooms(self, token: IssuedToken) -> Check:
        answer = ended_rooms.ask_about_missing_room(self._patient.settings)
        timeouts = None
        if ended_rooms.has_to_be_made(answer):
            timeouts = self._livekit.timeouts(token.room_name)
        return ended_rooms.check_ended_rooms(token, answer, timeouts)

    def _visit(self, token: IssuedToken) -> None:
        # These take a second to import, which only a probe has to wait for.
        from token_server.cli.doctor import server_version  # noqa: PLC0415
        from token_server.cli.doctor.visit import Visit  # noqa: PLC0415

        info = server_version.ask_version(self._patient.settings, token.room_name)
        self._report.found(server_version.check_version(info))
        seen = self._begin(token)
        ends_at = min(time.monotonic() + _AGENT_DUE, self._started + _VISIT_ENDS_AT)
        self._patient.lead_clients(token.server_url)
        visit = Visit(token, self._livekit, seen, self._asked_at)
        with self._watch.first() as first:
            asyncio.run(visit.run(self._report.doing, ends_at=ends_at - self._asked_at))
        seen.webhook_at = None if first.came_at is None else first.came_at - self._asked_at
        self._had_visitor = seen.connected_at is not None
        if seen.connected_at is None:
            seen.why_not = server_version.ask_why_not(token, self._patient.settings.proxies)
        self._tell(seen, token)

    def _begin(self, token: IssuedToken) -> ProbeObservation:
        born = self._room.created_at if self._room else self._livekit.now()
        return ProbeObservation(
            room_name=token.room_name,
            agent_name=token.agent_name,
            # The room is made in the middle of the request, as far as we know.
            zero=born - timedelta(seconds=self._token_at / 2),
            room_at=self._token_at / 2 if self._room else None,
            token_at=self._token_at,
        )

    def _tell(self, seen: ProbeObservation, token: IssuedToken) -> None:
        self._report.timed(seen.timeline())
        if not self._report.found(check_join(seen, token.server_url, self._patient.settings)):
            self._report.skip(["agent"], "a human can join")
            return
        around = self._surroundings(seen)
        agent, audio = arrival.check_agent(seen, around), arrival.check_audio(seen)
        if around.is_other_agent:
            agent, audio = (
                of_own_worker(check, seen.agent_name, around.own_port) for check in (agent, audio)
            )
        self.has_come = self._report.found(agent)
        self._report.found(audio)
        if region := check_region(seen):
            self._report.found(region)

    def _surroundings(self, seen: ProbeObservation) -> Surroundings:
        patient, search = self._patient, self._workers
        port, is_other = patient.worker_port, patient.is_other_agent
        workers = search.ask() if is_other or not seen.agent else None
        if workers is None:
            return Surroundings(worker=None, worker_port=port)
        worker = worker_of(seen.agent_name, workers.here, search.known_names)
        own_port = search.port_for(worker, workers.here)
        if seen.agent:
            return Surroundings(
                worker=None, worker_port=port, is_other_agent=True, own_port=own_port
            )
        others = tuple(one for one in workers.here if one is not worker)
        jobs_before = search.jobs_before(worker)
        until = time.monotonic() + _JOB_DIES_WITHIN
        while worker and worker.active_jobs > jobs_before and time.monotonic() < until:
            time.sleep(_PAUSE)
            worker = ask_worker(patient.worker_host, worker.port)
        return Surroundings(
            worker=worker,
            worker_port=port,
            jobs_before=jobs_before,
            other_names=self._livekit.other_agent_names(seen.room_name),
            told=workers.told,
            others=others,
            known_names=search.known_names,
            is_make_dev=patient.is_make_dev,
            is_named_by_setting=self._report.here.is_worker_named_by_setting,
            has_worker_line=self._report.here.has_worker_line,
            is_other_agent=is_other,
            own_port=own_port,
        )
