"""A job as it truly is, and what becomes of jobs with which workers."""

from dataclasses import dataclass

from tests.model.clock import Clock
from token_server.livekit.port import Dispatch, Job, Participant, Room


@dataclass(frozen=True)
class Manner:
    """How the workers and agents of one name behave.

    Attributes:
        is_careful: As ours: has an identity for each job, tells its dispatch, stays out where a
            living agent is, leaves again where the elder one lives, and else only a room without
            humans. Otherwise a common livekit-agents worker.
        has_fixed_identity: One identity per name, so that LiveKit evicts the older; not ours.
        leaves: Whether its agents leave after the last human.
    """

    is_careful: bool = True
    has_fixed_identity: bool = True
    leaves: bool = True


@dataclass(eq=False)
class Run:
    """One job, as it truly is; LiveKit lists something else."""

    room: Room
    dispatch: Dispatch
    job: Job
    identity: str
    dispatched_at: float
    listed_at: float
    due_at: float
    is_over: bool = False
    participant: Participant | None = None


class Jobs:
    """All jobs that there were."""

    def __init__(self, clock: Clock, manner: Manner) -> None:
        self._clock, self._manner = clock, manner
        self.runs: list[Run] = []

    @property
    def share_identity(self) -> bool:
        """Whether two agents would put each other out."""
        return self._manner.has_fixed_identity and not self._manner.is_careful

    def is_surplus(self, dispatch: Dispatch, agent: Participant) -> bool:
        """Whether a dispatch is not the one that has brought this agent, which can be known.

        One whose own agent has come and gone will bring nobody any more.
        """
        brought = [run.dispatch.dispatch_id for run in self.runs if run.participant is agent]
        is_known = bool(brought) and not self.share_identity
        is_ours = dispatch.agent_name == agent.agent_name
        over = {r.dispatch.dispatch_id for r in self.runs if r.participant and r.is_over}
        return is_known and is_ours and dispatch.dispatch_id not in {*brought, *over}

    def run_of(self, dispatch_id: str) -> Run | None:
        """Return the job of a dispatch that is not over."""
        return next(
            (r for r in self.runs if r.dispatch.dispatch_id == dispatch_id and not r.is_over), None
        )

    def had_other_agent_since(self, run: Run) -> bool:
        """Whether another dispatch's agent has come since this one was created."""
        since = run.dispatch.created_at
        others = (r.participant for r in self.runs if r is not run and r.room is run.room)
        return any(other and other.joined_at >= since for other in others)

    def jobs_listed(self, dispatch: Dispatch) -> tuple[Job, ...]:
        """Return what ListDispatch says: late, perhaps without the end (livekit-behaviour 26)."""
        now = self._clock.now
        return tuple(
            run.job
            for run in self.runs
            if run.dispatch.dispatch_id == dispatch.dispatch_id and run.listed_at <= now
        )

    def over_with(self, participant: Participant) -> None:
        """End the jobs of an agent."""
        for run in self.runs:
            run.is_over = run.is_over or run.participant is participant
