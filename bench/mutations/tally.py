"""What was answered, and what must not have been. No I/O."""

import base64
import re
from collections import Counter
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import StrEnum

from bench.mutations.answers import Answer
from bench.mutations.good_requests import MARKER

_EXAMPLES = 20
# A name that one client alone has: of a canary, or of its rooms.
_NAMES = re.compile(rb"(?:canary|mutant)-[a-z]{10}")
_CLAIMS = re.compile(rb"\.(eyJ[\w-]+)\.")
# What nginx says to a coding, or a version, that it does not know.
_NGINXS = {501, 505}
_ERROR = 500
_ROOMS = b'{"rooms":'  # the answer of /rooms names everybody's


class Fault(StrEnum):
    """What must not happen."""

    ERROR = "answers 5xx (but for nginx's 501 and 505)"
    QUOTED = "answers that quote a secret"
    FOREIGN = "answers that are another's"
    UNASKED = "bytes that nobody asked for"
    NOT_OWN = "canaries without their own answer"
    UNANSWERED = "whole requests without an answer"
    STUCK = "connections that stayed open at their end"


@dataclass
class Tally:
    """Counts of answers and faults, and the first examples of these."""

    sent: int = 0
    canaries: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    faults: Counter[Fault] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def fault(self, fault: Fault, about: str) -> None:
        """Count one, with what is needed to see it again."""
        self.faults[fault] += 1
        if self.faults[fault] <= _EXAMPLES:
            self.examples.append(f"{fault}: {about}")

    def answer(
        self, answer: Answer, names: AbstractSet[bytes], own: AbstractSet[bytes]
    ) -> Iterator[Fault]:
        """Count one answer, and tell what is wrong with it.

        Of the names of all requests, it may have its own.
        """
        self.statuses[f"{answer.status}{' of nginx' if answer.is_nginxs else ''}"] += 1
        if answer.status >= _ERROR and not (answer.is_nginxs and answer.status in _NGINXS):
            yield Fault.ERROR
        if MARKER.encode() in answer.head + answer.body:
            yield Fault.QUOTED
        is_list = answer.body.startswith(_ROOMS)
        if not is_list and (names_in(answer.body) & names) - own:
            yield Fault.FOREIGN


def names_in(body: bytes) -> set[bytes]:
    """Return the names in an answer, and in the token that it has."""
    claims = [base64.urlsafe_b64decode(each + b"===") for each in _CLAIMS.findall(body)]
    return set(_NAMES.findall(b" ".join((body, *claims))))
