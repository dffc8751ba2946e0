"""What one check has found, and what all of them together mean. No I/O."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from token_server.cli.doctor.steps import PROXY_URL, Setting, Step


class Finding(StrEnum):
    """How a check ended."""

    OK = "ok"
    WRONG = "wrong"
    UNKNOWN = "unknown"  # could not tell
    SKIPPED = "skipped"  # needs what an earlier check did not find, or does not apply


# What the command returns for the worst finding.
EXIT_CODES = {Finding.OK: 0, Finding.WRONG: 1, Finding.UNKNOWN: 2}

Timeline = Sequence[tuple[float, str]]
"""Steps with their seconds since the token was asked for."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check's result.

    Attributes:
        name: What was checked.
        finding: How it ended.
        cause: Which row of docs/doctor.md it is; None where nothing is wrong or unknown.
        says: The finding in a sentence.
        evidence: What it rests on, a line each; never a secret, a token or metadata.
        cure: What to do, and why that helps.
        steps: What is typed for that.
        commands: The same as shell lines, as they are typed where the doctor was run.
    """

    name: str
    finding: Finding
    cause: str | None = None
    says: str
    evidence: tuple[str, ...] = ()
    cure: str = ""
    steps: tuple[Step, ...] = ()
    commands: tuple[str, ...] = ()


def ok(name: str, says: str, *evidence: str) -> Check:
    """Say that it is as it should be."""
    return Check(name=name, finding=Finding.OK, says=says, evidence=evidence)


def skipped(name: str, why: str) -> Check:
    """Say why it was not checked."""
    return Check(name=name, finding=Finding.SKIPPED, says=why)


@dataclass(frozen=True)
class Cause:
    """A row of docs/doctor.md's table of causes.

    Attributes:
        name: As it is in the JSON; never changes.
        means: What is so.
        cure: What to do about it.
    """

    name: str
    means: str
    cure: str


@dataclass(frozen=True)
class Trouble:
    """A cause with its cure; becomes a check that is wrong or unknown."""

    cause: str
    cure: str
    steps: tuple[Step, ...] = ()

    def wrong(self, name: str, says: str, *evidence: str) -> Check:
        """Say that this is what is wrong."""
        return Check(
            name=name,
            finding=Finding.WRONG,
            cause=self.cause,
            says=says,
            evidence=evidence,
            cure=self.cure,
            steps=self.steps,
        )

    def unknown(self, name: str, says: str, *evidence: str) -> Check:
        """Say that it cannot be told, because of this."""
        return replace(self.wrong(name, says, *evidence), finding=Finding.UNKNOWN)


def proxy_trouble(setting: str, host: str, where: str, *steps: Step) -> Trouble:
    """Return the trouble with the proxy of a setting, which does not lead to a host.

    Args:
        setting: HTTPS_PROXY or HTTP_PROXY.
        host: Whom it does not lead to.
        where: Who has that setting.
        steps: What is done once that is set.
    """
    return Trouble(
        "proxy",
        f"Set {setting} for {where} to an HTTP proxy that lets it through to {host}, with the user"
        f" and password that the proxy wants; or name {host} in NO_PROXY, if no proxy is needed to"
        " get there.",
        (Setting(setting, PROXY_URL), *steps),
    )


TOO_OLD = Trouble(
    "server-too-old",
    "Let whoever runs livekit-server update it: it does not know what a token has today."
    " docs/versions.md says which versions were tried.",
)


def worst(checks: Iterable[Check]) -> Finding:
    """Return whether anything is wrong, else whether anything could not be told, else ok."""
    findings = {check.finding for check in checks}
    return next((bad for bad in (Finding.WRONG, Finding.UNKNOWN) if bad in findings), Finding.OK)
