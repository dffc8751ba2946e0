"""What becomes a span, and in which trace: two token servers with a LiveKit in memory."""

import io
import json
import logging
from contextlib import AbstractContextManager, nullcontext

import jwt
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry
from werkzeug.test import TestResponse

from tests.environ import settings
from tests.fakes import START, FakeLiveKit
from tests.lives import unasked
from tests.processes import AGENT_NAME, API_SECRET
from tests.recording_keeper import RecordingKeeper
from tests.webhook_signing import joined, sign
from token_server.errors import LiveKitUnavailableError
from token_server.http_api.app import create_app
from token_server.keeper.look_at_room import Looker
from token_server.keeper.wanted_agents import Policy
from token_server.telemetry.metrics import Metrics
from token_server.tokens.tickets import TICKET_ATTRIBUTE, TicketSealer
from token_server.tracing.calls import TracedLiveKit, record
from token_server.tracing.delivery import Delivery
from token_server.tracing.traced import Tracing

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
FRONTEND = f"00-{TRACE}-00f067aa0ba902b7-01"


class Free:
    """Locks that nobody holds."""

    def hold_room(self, room_name: str) -> AbstractContextManager[bool]:
        """Let everybody in."""
        del room_name
        return nullcontext(enter_result=True)


class FailingDispatch(FakeLiveKit):
    """A LiveKit that cannot send agents."""

    def _call(self, name: str) -> None:
        super()._call(name)
        if name == "create_dispatch":
            raise LiveKitUnavailableError("MaRkEr")


class Server:
    """One process of a token server that traces."""

    def __init__(self, rooms: FakeLiveKit, exporter: InMemorySpanExporter, **changes: str) -> None:
        self._rooms = rooms
        delivery = Delivery()
        delivery.provider.add_span_processor(SimpleSpanProcessor(exporter))
        sealer = TicketSealer(API_SECRET)
        tracing = Tracing(delivery, sealer)
        traced = tracing.livekit(rooms, Metrics(CollectorRegistry()))
        policy = Policy(agent_names=(AGENT_NAME,), attend_rooms=("kitchen",))
        self.looker = tracing.looks(Looker(traced, Free(), sealer, policy, unasked(traced)))
        app = create_app(settings(**changes), traced, RecordingKeeper())
        tracing.trace_requests(app)
        self.http = app.test_client()

    def token(
        self, identity: str = "alice", traceparent: str = FRONTEND, **fields: object
    ) -> TestResponse:
        """Fetch a token for the kitchen, as a frontend that traces does."""
        body = {"room_name": "kitchen", "participant_identity": identity, **fields}
        return self.http.post("/token", json=body, headers={"traceparent": traceparent})

    def join(
        self, identity: str = "alice", traceparent: str = FRONTEND, **fields: object
    ) -> dict[str, str]:
        """Fetch a token and join with it; return the attributes that the others see."""
        token = self.token(identity, traceparent, **fields).get_json()["participant_token"]
        attributes = jwt.decode(token, options={"verify_signature": False})["attributes"]
        self._rooms.join("kitchen", identity, attributes)
        return dict(attributes)

    def webhook(self, attributes: dict[str, str]) -> None:
        """Hear from LiveKit that alice has joined."""
        self.hear(joined(participant={"identity": "alice", "attributes": attributes}))

    def hear(self, body: bytes) -> None:
        """Hear from LiveKit."""
        headers = {"Authorization": sign(body), "Content-Type": "application/webhook+json"}
        assert 200 == self.http.post("/webhook", data=body, headers=headers).status_code

    def look(self) -> None:
        """Look at the kitchen."""
        self.looker.look("kitchen")


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    """Where all spans go."""
    return InMemorySpanExporter()


@pytest.fixture
def rooms() -> FakeLiveKit:
    """An empty LiveKit."""
    return FakeLiveKit()


@pytest.fixture
def server(rooms: FakeLiveKit, exporter: InMemorySpanExporter) -> Server:
    """The process that issues tokens."""
    return Server(rooms, exporter)


@pytest.fixture
def other(rooms: FakeLiveKit, exporter: InMemorySpanExporter) -> Server:
    """Another process, on another machine."""
    return Server(rooms, exporter)


def names(exporter: InMemorySpanExporter) -> list[str]:
    """Return the names of all spans so far, in the order in which they ended."""
    return [span.name for span in exporter.get_finished_spans()]


def the(exporter: InMemorySpanExporter, name: str) -> ReadableSpan:
    """Return the only span of this name."""
    (found,) = [span for span in exporter.get_finished_spans() if span.name == name]
    return found


def parents(exporter: InMemorySpanExporter) -> dict[str, str]:
    """Return the name of each span's parent, "" for one that is in another process."""
    spans = exporter.get_finished_spans()
    by_id = {span.context.span_id: span.name for span in spans if span.context}
    return {s.name: by_id.get(s.parent.span_id, "") if s.parent else "none" for s in spans}


def traces(exporter: InMemorySpanExporter) -> set[str]:
    """Return the ids of all traces."""
    spans = exporter.get_finished_spans()
    return {format(span.context.trace_id, "032x") for span in spans if span.context}


def attribute(span: ReadableSpan, name: str) -> object:
    """Return what a span says."""
    return (span.attributes or {}).get(name)


def test_from_the_token_to_the_dispatch_it_is_one_trace(
    rooms: FakeLiveKit, server: Server, other: Server, exporter: InMemorySpanExporter
) -> None:
    """The frontend's own, whichever process the webhook and the looks happen in."""
    attributes = server.join()
    other.webhook(attributes)
    other.look()
    rooms.pass_time(seconds=0.5)
    rooms.join_agent("kitchen", AGENT_NAME)
    server.look()

    expected = {
        "token": "",
        "CreateRoom": "token",
        "webhook participant_joined": "token",
        "look": "token",
        "ListParticipants": "look",
        "ListDispatch": "look",
        "CreateDispatch": "look",
        "join": "token",
    }
    assert ({TRACE}, expected) == (traces(exporter), parents(exporter))


def test_a_frontend_that_does_not_trace_gets_a_trace_of_its_own(
    server: Server, exporter: InMemorySpanExporter
) -> None:
    """Most frontends."""
    server.token(traceparent="")
    server.token(traceparent="")

    assert (2, "none") == (len(traces(exporter)), parents(exporter)["token"])


@pytest.mark.parametrize("text", ["x" * 55, FRONTEND + "0" * 9000, "00-0-0-01"])
def test_a_traceparent_that_is_none_is_nobodys_trouble(
    server: Server, exporter: InMemorySpanExporter, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    """It comes from whoever likes, and must not fill the log."""
    caplog.set_level(logging.WARNING)

    assert (201, "none") == (server.token(traceparent=text).status_code, parents(exporter)["token"])
    assert [] == caplog.records


def test_a_trace_that_the_frontend_does_not_keep_is_not_kept_here(
    rooms: FakeLiveKit, server: Server, exporter: InMemorySpanExporter
) -> None:
    """Sampled out, and so for the rest of it."""
    attributes = server.join(traceparent=FRONTEND[:-1] + "0")
    server.webhook(attributes)
    server.look()
    rooms.join_agent("kitchen", AGENT_NAME)
    server.look()

    (alice,) = [p for p in rooms.list_participants("kitchen") if p.participant_identity == "alice"]
    ticket = TicketSealer(API_SECRET).open("kitchen", alice)
    assert ([], "") == (names(exporter), ticket and ticket.traceparent)


def test_the_join_is_what_the_human_waited(
    rooms: FakeLiveKit, server: Server, exporter: InMemorySpanExporter
) -> None:
    """By LiveKit's own clock, whenever anybody looked."""
    server.join()
    server.look()
    rooms.pass_time(seconds=0.4)
    rooms.join_agent("kitchen", AGENT_NAME)
    rooms.pass_time(seconds=7)
    server.look()

    join = the(exporter, "join")
    began = int(START.timestamp()) * 1_000_000_000
    assert (began, began + 400_000_000) == (join.start_time, join.end_time)
    assert {
        "livekit.room.name": "kitchen",
        "livekit.participant.identity": "alice",
        "livekit.agent.name": AGENT_NAME,
    } == dict(join.attributes or {})


def test_an_agent_that_was_there_first_is_no_wait(
    rooms: FakeLiveKit, server: Server, exporter: InMemorySpanExporter
) -> None:
    """AGENT_DISPATCH=token."""
    rooms.join_agent("kitchen", AGENT_NAME)
    rooms.pass_time(seconds=5)
    server.join()
    server.look()

    join = the(exporter, "join")
    assert join.start_time == join.end_time


def test_whoever_looks_the_join_is_told_once(
    rooms: FakeLiveKit, server: Server, other: Server, exporter: InMemorySpanExporter
) -> None:
    """By the process that issued the token."""
    server.join()
    rooms.join_agent("kitchen", AGENT_NAME)
    for looking in (other, server, other, server):
        looking.look()

    assert 1 == names(exporter).count("join")


def test_looks_that_find_all_well_are_not_told_again(
    rooms: FakeLiveKit, server: Server, exporter: InMemorySpanExporter
) -> None:
    """A call of an hour would have hundreds."""
    server.join()
    server.look()
    for _ in range(5):
        server.look()
    assert 1 == names(exporter).count("look")
    rooms.join_agent("kitchen", AGENT_NAME)

    for _ in range(5):
        server.look()

    assert 2 == names(exporter).count("look")


def test_a_look_at_people_who_are_not_traced_is_not_told(
    rooms: FakeLiveKit, server: Server, exporter: InMemorySpanExporter
) -> None:
    """Nobody would find it."""
    rooms.join("kitchen", "caller")
    rooms.join_agent("kitchen", AGENT_NAME, "agent-1")
    rooms.join_agent("kitchen", AGENT_NAME, "agent-2")
    server.look()

    assert ([], ["agent-1"]) == (
        names(exporter),
        [name for name in rooms.rooms["kitchen"].participants if "agent" in name],
    )


def test_a_human_who_wants_nobody_is_no_look(
    rooms: FakeLiveKit, exporter: InMemorySpanExporter
) -> None:
    """Their join is in their trace: a webhook tells it."""
    server = Server(rooms, exporter, AGENTLESS_TOKENS="1")
    attributes = server.join(agentless=True)
    rooms.join_agent("kitchen", AGENT_NAME)

    server.webhook(attributes)
    server.look()

    assert ["CreateRoom", "token", "webhook participant_joined"] == names(exporter)


def test_two_humans_are_one_look_with_a_link(
    rooms: FakeLiveKit, server: Server, exporter: InMemorySpanExporter
) -> None:
    """In the trace of who came first; the other trace is one click away."""
    server.join("alice", traceparent="")
    rooms.pass_time(seconds=1)
    server.join("bob", traceparent="")
    server.look()

    look = the(exporter, "look")
    tokens = [s.context.span_id for s in exporter.get_finished_spans() if s.name == "token"]
    assert look.parent
    assert tokens == [look.parent.span_id, *(link.context.span_id for link in look.links)]


def test_the_look_that_first_sees_a_human_is_theirs(
    rooms: FakeLiveKit, server: Server, exporter: InMemorySpanExporter
) -> None:
    """Whoever has been there for an hour is not what it is about."""
    server.join("alice", traceparent="")
    rooms.join_agent("kitchen", AGENT_NAME)
    server.look()
    exporter.clear()
    rooms.pass_time(seconds=3600)
    server.join("bob", traceparent="")
    server.look()

    assert ("token", "token") == (parents(exporter)["look"], parents(exporter)["join"])


def test_a_dispatch_says_what_and_why(server: Server, exporter: InMemorySpanExporter) -> None:
    """In the words of the log."""
    server.join()
    server.look()

    assert {
        "rpc.system.name": "twirp",
        "rpc.method": "livekit.AgentDispatchService/CreateDispatch",
        "livekit.room.name": "kitchen",
        "livekit.agent.name": AGENT_NAME,
        "livekit.dispatch.id": "AD_4",
        "token_server.reason": "a human waits and nothing is on its way",
    } == dict(the(exporter, "CreateDispatch").attributes or {})
    assert ("CreateDispatch", "Wait") == attribute(the(exporter, "look"), "token_server.decisions")


def test_a_repair_says_which_dispatch_was_taken_back(
    rooms: FakeLiveKit, server: Server, exporter: InMemorySpanExporter
) -> None:
    """What somebody looks for who waited for ten seconds."""
    server.join()
    server.look()
    exporter.clear()
    rooms.pass_time(seconds=6)
    server.look()

    deleted = the(exporter, "DeleteDispatch")
    assert ("AD_4", "no worker took it", "look") == (
        attribute(deleted, "livekit.dispatch.id"),
        attribute(deleted, "token_server.reason"),
        parents(exporter)["DeleteDispatch"],
    )
    assert "AD_5" == attribute(the(exporter, "CreateDispatch"), "livekit.dispatch.id")


def test_a_second_agent_that_is_put_out_is_told(
    rooms: FakeLiveKit, server: Server, exporter: InMemorySpanExporter
) -> None:
    """By its identity."""
    server.join()
    for identity in ("agent-1", "agent-2"):
        rooms.join_agent("kitchen", AGENT_NAME, identity)
        rooms.pass_time(seconds=1)
    server.look()

    removed = the(exporter, "RemoveParticipant")
    assert ("agent-2", "a second agent in the room") == (
        attribute(removed, "livekit.participant.identity"),
        attribute(removed, "token_server.reason"),
    )


def test_a_token_says_who_and_where(server: Server, exporter: InMemorySpanExporter) -> None:
    """By the semantic conventions where they have a word."""
    server.token()

    assert {
        "http.request.method": "POST",
        "http.route": "/token",
        "url.path": "/token",
        "url.scheme": "http",
        "http.response.status_code": 201,
        "livekit.room.name": "kitchen",
        "livekit.participant.identity": "alice",
    } == dict(the(exporter, "token").attributes or {})


def test_a_webhook_says_who_and_where(server: Server, exporter: InMemorySpanExporter) -> None:
    """And its id, by which one that came twice is known."""
    server.webhook(server.join())

    webhook = dict(the(exporter, "webhook participant_joined").attributes or {})
    assert ("EV_1", "kitchen", "alice", 200) == (
        webhook["livekit.webhook.id"],
        webhook["livekit.room.name"],
        webhook["livekit.participant.identity"],
        webhook["http.response.status_code"],
    )


def test_a_webhook_is_traced_however_its_length_is_said(
    server: Server, exporter: InMemorySpanExporter
) -> None:
    """Proxies send it on in chunks."""
    body = joined(participant={"identity": "alice", "attributes": server.join()})
    chunked = {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True}

    server.http.post("/webhook", headers={"Authorization": sign(body)}, environ_overrides=chunked)

    assert "webhook participant_joined" in names(exporter)


def test_a_webhook_of_somebody_who_is_not_traced_is_not_told(
    server: Server, exporter: InMemorySpanExporter
) -> None:
    """Agents, phone callers, and whoever has copied a ticket."""
    server.webhook({})
    server.webhook({TICKET_ATTRIBUTE: "x"})

    assert [] == names(exporter)


def test_what_concerns_no_human_is_not_told(
    rooms: FakeLiveKit, server: Server, exporter: InMemorySpanExporter
) -> None:
    """Health checks and other events come all the time; and so do looks at rooms that ended."""
    server.hear(joined(event="room_started"))
    server.http.get("/healthz")
    rooms.join_agent("kitchen", AGENT_NAME)
    server.look()
    rooms.end_room("kitchen")
    server.look()

    assert [] == names(exporter)


def test_a_room_that_is_made_with_its_agent_says_which(
    rooms: FakeLiveKit, exporter: InMemorySpanExporter
) -> None:
    """AGENT_DISPATCH=token: there is no other dispatch."""
    Server(rooms, exporter, AGENT_DISPATCH="token").token()

    assert AGENT_NAME == attribute(the(exporter, "CreateRoom"), "livekit.agent.name")


def test_only_what_a_look_asks_is_recorded(rooms: FakeLiveKit) -> None:
    """A thread looks for as long as the process lives, and must not remember all of it."""
    traced = TracedLiveKit(rooms, Metrics(CollectorRegistry()))
    with record() as recording:
        traced.list_rooms()

    traced.list_rooms()

    assert ["ListRooms"] == [call.method for call in recording.calls]


def test_a_refused_request_is_the_callers_and_no_error(
    server: Server, exporter: InMemorySpanExporter
) -> None:
    """As the semantic conventions have it."""
    server.token(participant_identity=7)

    token = the(exporter, "token")
    assert (400, True) == (attribute(token, "http.response.status_code"), token.status.is_unset)


def test_a_livekit_that_is_down_is_an_error_of_token_and_call(
    rooms: FakeLiveKit, server: Server, exporter: InMemorySpanExporter
) -> None:
    """And the reason is one level below."""
    rooms.is_down = True
    server.token()

    spans = exporter.get_finished_spans()
    found = {span.name: (span.status.is_ok, attribute(span, "error.type")) for span in spans}
    assert {
        "token": (False, "503"),
        "CreateRoom": (False, "LiveKitUnavailableError"),
    } == found


def test_a_look_that_fails_to_act_is_an_error(exporter: InMemorySpanExporter) -> None:
    """The human who waits is in its trace."""
    server = Server(FailingDispatch(), exporter)
    server.join()
    with pytest.raises(LiveKitUnavailableError):
        server.look()

    found = {s.name: attribute(s, "error.type") for s in exporter.get_finished_spans()}
    assert ("LiveKitUnavailableError", "LiveKitUnavailableError", None) == (
        found["look"],
        found["CreateDispatch"],
        found["ListParticipants"],
    )


def test_no_secret_leaves_with_a_trace(
    rooms: FakeLiveKit, server: Server, exporter: InMemorySpanExporter
) -> None:
    """Traces are read by more people than calls are for."""
    attributes = server.join(
        participant_metadata="MaRkEr-1",
        participant_attributes={"a": "MaRkEr-2"},
        room_config={"agents": [{"agent_name": AGENT_NAME, "metadata": "MaRkEr-3"}]},
    )
    server.webhook(attributes)
    server.look()
    rooms.join_agent("kitchen", AGENT_NAME)
    server.look()

    told = json.dumps([json.loads(span.to_json()) for span in exporter.get_finished_spans()])
    ticket = attributes[TICKET_ATTRIBUTE]
    assert (True, []) == (
        "kitchen" in told,
        [word for word in ("MaRkEr", ticket, API_SECRET, "eyJ") if word in told],
    )
