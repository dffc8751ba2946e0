"""A job as it truly is, and what becomes of jobs with which workers."""

from dataclasses import dataclass

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
