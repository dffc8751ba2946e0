"""What a probe has seen, step by step. No I/O.

Times are seconds since the token was asked for. What LiveKit dates itself (dispatch, job) is
brought to that scale by the room's creation, which lies within the request for the token.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from token_server.cli.doctor.hung_agent import Hang, SignsOfLife
from token_server.livekit.port import Dispatch, Job

# Seconds. A visit ends when it knows enough: how long the list of jobs may lag behind what is
# heard (up to 5: livekit-behaviour 26), a track be silent, an agent be without a track (LiveKit
# shows one that publishes nothing up to 3 s late: livekit-behaviour 46), and a job that is over be
# followed by another.
UNLISTED_FOR = 5.0
SILENT_TRACK_FOR = 2.5
NO_TRACK_FOR = 4.0
OVER_FOR = 2.0
# Seconds by which it may become known later that one has left than that the next has come.
_TOLD_LATE = 0.3
# Seconds. Who is heard before is not asked whether it lives: most are.
ASKED_AFTER = 1.0


@dataclass(frozen=True, kw_only=True)
class ObservedAgent:
    """An agent in the room; `agent_name` is "" for an unnamed worker's.

    LiveKit's regions that it is in and that its worker registered in are "" where nobody tells;
    `left_at` is None while it is there.
    """

    agent_name: str
    seconds: float
    left_at: float | None = None
    region: str = ""
    worker_region: str = ""


@dataclass(frozen=True)
class WhyNot:
    """What is answered about a join that failed.

    Attributes:
        refusal: What LiveKit refuses of the token, in the words of `livekit.refusal_of`.
        instead: What answers in LiveKit's place, or why nothing does; "" if LiveKit does.
    """

    refusal: str = ""
    instead: str = ""


@dataclass(kw_only=True)
class ProbeObservation:
    """Everything that the probe's human and LiveKit's API have shown.

    Attributes:
        room_name: The room, which is gone afterwards.
        agent_name: The agent that is wanted; "" for AGENT_DISPATCH=automatic.
        zero: LiveKit's time when the token was asked for.
        room_at: When the room was ready; None if LiveKit does not tell.
        token_at: When the token was there.
        connected_at: When the human was in the room.
        join_error: Why they are not.
        why_not: What is said of that where clients are sent to.
        webhook_at: When the first webhook after the join had come; None if nobody tells.
        is_listed: Whether LiveKit lists them: signalling works then.
        region: LiveKit's region that they are in; "" where it has none.
        agents: By identity.
        track_at: When the wanted agent published audio.
        sound_at: When it was heard.
        life: What the wanted agent answers; nobody asks one that is heard.
        dispatches: By id, as last listed.
        failed_looks: How often LiveKit's API did not answer.
        ended_at: When the visit ended.
    """

    room_name: str
    agent_name: str
    zero: datetime
    room_at: float | None = None
    token_at: float = 0.0
    connected_at: float | None = None
    join_error: str = ""
    why_not: WhyNot = field(default_factory=WhyNot)
    webhook_at: float | None = None
    is_listed: bool = False
    region: str = ""
    agents: dict[str, ObservedAgent] = field(default_factory=dict)
    track_at: float | None = None
    sound_at: float | None = None
    life: SignsOfLife = field(default_factory=SignsOfLife)
    dispatches: dict[str, Dispatch] = field(default_factory=dict)
    failed_looks: int = 0
    ended_at: float = 0.0

    def note_agent(self, identity: str, agent: ObservedAgent) -> None:
        """An agent is in the room; its attributes may become known after it."""
        known = self.agents.get(identity, agent)
        self.agents[identity] = replace(
            known,
            agent_name=known.agent_name or agent.agent_name,
            region=known.region or agent.region,
            worker_region=known.worker_region or agent.worker_region,
        )

    def note_there(self, identity: str) -> None:
        """LiveKit lists an agent: it has not left, whatever was told before."""
        self.agents[identity] = replace(self.agents[identity], left_at=None)

    def note_left(self, identity: str, now: float) -> None:
        """Somebody has left; if that was an agent, a doubt about its life was about this one."""
        known = self.agents.get(identity)
        if known and known.left_at is None:
            self.agents[identity] = replace(known, left_at=now)
            if self.hang is None:
                self.life = SignsOfLife()

    def note_dispatches(self, dispatches: Iterable[Dispatch]) -> None:
        """LiveKit lists these; a deleted one stays known with its jobs."""
        for dispatch in dispatches:
            known = self.dispatches.get(dispatch.dispatch_id)
            if not known or dispatch.jobs:
                self.dispatches[dispatch.dispatch_id] = dispatch

    @property
    def agent(self) -> ObservedAgent | None:
        """The wanted agent, the first of them."""
        return next(iter(self._wanted()), None)

    @property
    def deserters(self) -> list[ObservedAgent]:
        """The agents of the wanted name that left before any was heard."""
        heard_at = self.ended_at if self.sound_at is None else self.sound_at
        return [a for a in self._wanted() if a.left_at is not None and a.left_at <= heard_at]

    def _wanted(self) -> list[ObservedAgent]:
        return [a for a in self.agents.values() if a.agent_name == self.agent_name]

    @property
    def rivals(self) -> list[ObservedAgent]:
        """The agents that were there at the same time as one of the wanted: who follows is none."""
        first = self.agent
        return [
            agent
            for agent in self.agents.values()
            if agent is not first and any(_meet(agent, other) for other in self._wanted())
        ]

    @property
    def strangers(self) -> list[str]:
        """The names of agents that are there and were not asked for."""
        return sorted({a.agent_name for a in self.agents.values()} - {self.agent_name})

    def dispatches_of(self, agent_name: str) -> list[Dispatch]:
        """The dispatches of a name, the oldest first."""
        found = [d for d in self.dispatches.values() if d.agent_name == agent_name]
        return sorted(found, key=lambda dispatch: dispatch.created_at)

    def jobs_of(self, agent_name: str) -> list[Job]:
        """Their jobs that a worker has taken."""
        return [
            job
            for dispatch in self.dispatches_of(agent_name)
            for job in dispatch.jobs
            if job.is_taken
        ]

    def on_scale(self, livekit_time: datetime) -> float:
        """Return a time of LiveKit's as seconds since the token was asked for."""
        return (livekit_time - self.zero) / timedelta(seconds=1)

    @property
    def hang(self) -> Hang | None:
        """How the wanted agent hangs; who is heard lives."""
        return self.life.hang if self.sound_at is None else None

    def whom_to_ask(self, now: float) -> str | None:
        """Return the identity of an agent that is to be asked whether it lives."""
        there = (i for i, agent in self.agents.items() if self._may_hang(agent, now))
        return next(there, None) if self.sound_at is None else None

    def _may_hang(self, agent: ObservedAgent, now: float) -> bool:
        is_there = agent.agent_name == self.agent_name and agent.left_at is None
        return is_there and now - agent.seconds >= ASKED_AFTER

    def knows_enough(self, now: float) -> bool:
        """Whether there is nothing more to wait for."""
        jobs = self.jobs_of(self.agent_name)
        if self.sound_at is not None:
            return bool(jobs) or now - self.sound_at > UNLISTED_FOR
        if self.hang or self.life.is_in_doubt:
            return self.hang is not None
        if self.track_at is not None:
            return now - self.track_at > SILENT_TRACK_FOR
        if self.agent:
            return now - self.agent.seconds > NO_TRACK_FOR
        if len(jobs) > 1 and all(job.is_over for job in jobs):
            return now - self.on_scale(jobs[-1].started_at) > OVER_FOR
        return False

    def timeline(self) -> list[tuple[float, str]]:
        """Return the steps that were seen, in the order of their times."""
        dispatches = self.dispatches_of(self.agent_name)[:1]
        jobs = [job for job in self.jobs_of(self.agent_name)[:1] if job.started_at.year > 1970]  # noqa: PLR2004 (the epoch: not known)
        steps = [
            (self.room_at, "room ready"),
            (self.token_at, "token"),
            (self.connected_at, "connected"),
            (self.webhook_at, "webhook seen"),
            *((self.on_scale(dispatch.created_at), "dispatched") for dispatch in dispatches),
            *((self.on_scale(job.started_at), "job taken") for job in jobs),
            (self.agent.seconds if self.agent else None, "agent in the room"),
            (self.track_at, "agent's audio track"),
            (self.sound_at, "first sound"),
        ]
        seen = [(max(seconds, 0.0), step) for seconds, step in steps if seconds is not None]
        return sorted(seen, key=lambda step: step[0])


def _meet(agent: ObservedAgent, other: ObservedAgent) -> bool:
    """Whether one was there before the other had left."""
    if agent is other:
        return False
    first, second = sorted((agent, other), key=lambda each: each.seconds)
    return first.left_at is None or first.left_at > second.seconds + _TOLD_LATE
