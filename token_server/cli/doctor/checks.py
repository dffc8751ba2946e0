"""What one check has found, and what all of them together mean. No I/O."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Finding(StrEnum):
    """How a check ended."""

    OK = "ok"
    WRONG = "wrong"
    UNKNOWN = "unknown"  # could not tell
    SKIPPED = "skipped"  # needs what an earlier check did not find, or does not apply


class ExitCode(IntEnum):
    """What the command returns."""

    ALL_WELL = 0
    SOMETHING_WRONG = 1
    COULD_NOT_TELL = 2


class Cause(StrEnum):
    """Why something is wrong or unknown; docs/doctor.md has a row for each."""

    SETTINGS = "settings"
    LIVEKIT_UNREACHABLE = "livekit-unreachable"
    NOT_LIVEKIT = "not-livekit"
    LIVEKIT_FAILING = "livekit-failing"
    KEY_UNKNOWN = "key-unknown"
    SECRET_WRONG = "secret-wrong"  # noqa: S105 (a cause)
    KEY_OR_SECRET = "key-or-secret"  # noqa: S105
    CLOCK = "clock"
    REDIS = "redis"
    SERVER_UNREACHABLE = "server-unreachable"
    NOT_TOKEN_SERVER = "not-token-server"  # noqa: S105
    SERVER_STUCK = "server-stuck"
    SERVER_NOT_READY = "server-not-ready"
    SERVER_REFUSES = "server-refuses"
    LOGIN_NEEDED = "login-needed"
    RATE_LIMITED = "rate-limited"
    OTHER_CREDENTIALS = "other-credentials"
    OTHER_LIVEKIT = "other-livekit"
    OTHER_AGENT_NAME = "other-agent-name"
    TOKEN_LIFETIME = "token-lifetime"  # noqa: S105
    CORS = "cors"
    SERVER_TOO_OLD = "server-too-old"
    JOIN_FAILED = "join-failed"
    MEDIA_BLOCKED = "media-blocked"
    NOT_DISPATCHED = "not-dispatched"
    NO_WORKER = "no-worker"
    WORKER_OTHER_NAME = "worker-other-name"
    WORKER_WITHOUT_NAME = "worker-without-name"
    WORKER_FULL = "worker-full"
    WORKER_SILENT = "worker-silent"
    WORKER_ELSEWHERE = "worker-elsewhere"
    JOB_DIED = "job-died"
    JOB_SLOW = "job-slow"
    SECOND_AGENT = "second-agent"
    ROOM_NAMES_REUSED = "room-names-reused"
    AGENT_SILENT = "agent-silent"
    REGION = "region"
    NO_WEBHOOKS = "no-webhooks"
    WEBHOOKS_STOPPED = "webhooks-stopped"
    WEBHOOK_PATH = "webhook-path"
    WEBHOOK_KEY = "webhook-key"
    WEBHOOKS_UNSEEN = "webhooks-unseen"
    NOT_CLEARED = "not-cleared"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check's result.

    Attributes:
        name: What was checked.
        finding: How it ended.
        says: The finding in a sentence.
        evidence: What it rests on, a line each; never a secret, a token or metadata.
        cause: Which of the known causes it is; None where nothing is wrong or unknown.
        cure: What to type next.
    """

    name: str
    finding: Finding
    says: str
    evidence: tuple[str, ...] = ()
    cause: Cause | None = None
    cure: str = ""


def ok(name: str, says: str, *evidence: str) -> Check:
    """Say that it is as it should be."""
    return Check(name=name, finding=Finding.OK, says=says, evidence=evidence)


def skipped(name: str, why: str) -> Check:
    """Say why it was not checked."""
    return Check(name=name, finding=Finding.SKIPPED, says=why)


@dataclass(frozen=True)
class Trouble:
    """A cause with its cure; becomes a check that is wrong or unknown."""

    cause: Cause
    cure: str

    def wrong(self, name: str, says: str, *evidence: str) -> Check:
        """Say that this is what is wrong."""
        return self._check(Finding.WRONG, name, says, evidence)

    def unknown(self, name: str, says: str, *evidence: str) -> Check:
        """Say that it cannot be told, because of this."""
        return self._check(Finding.UNKNOWN, name, says, evidence)

    def _check(self, finding: Finding, name: str, says: str, evidence: tuple[str, ...]) -> Check:
        return Check(
            name=name,
            finding=finding,
            says=says,
            evidence=evidence,
            cause=self.cause,
            cure=self.cure,
        )


TOO_OLD = Trouble(
    Cause.SERVER_TOO_OLD, "Update livekit-server; docs/versions.md says which versions were tried."
)


def exit_code(checks: Iterable[Check]) -> ExitCode:
    """Return 1 if anything is wrong, else 2 if anything could not be told, else 0."""
    findings = {check.finding for check in checks}
    if Finding.WRONG in findings:
        return ExitCode.SOMETHING_WRONG
    return ExitCode.COULD_NOT_TELL if Finding.UNKNOWN in findings else ExitCode.ALL_WELL
