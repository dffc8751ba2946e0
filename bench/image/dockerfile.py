"""Reads a Dockerfile, as far as ours uses its language. No I/O."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_CONTINUED = re.compile(r"\\\n\s*")
_VARIABLE = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True)
class Instruction:
    """One instruction: its name, and the rest of its line."""

    name: str
    rest: str

    def words(self, variables: Mapping[str, str]) -> list[str]:
        """Return the words of the rest, with `${NAME}` replaced."""
        return substituted(self.rest, variables).split()

    def pairs(self) -> dict[str, str]:
        """Return the NAME=VALUE of the rest."""
        return dict(word.split("=", 1) for word in self.rest.split())

    def command(self) -> list[str]:
        """Return the words of a JSON list, which may stand behind CMD and options."""
        words: list[str] = json.loads(self.rest[self.rest.index("[") :])
        return words


def instructions(text: str) -> list[Instruction]:
    """Return the instructions of a Dockerfile in their order."""
    return list(_read(_CONTINUED.sub(" ", text)))


def substituted(text: str, variables: Mapping[str, str]) -> str:
    """Return a text with each `${NAME}` replaced."""
    return _VARIABLE.sub(lambda found: variables[found[1]], text)


def _read(text: str) -> Iterator[Instruction]:
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, rest = line.partition(" ")
            yield Instruction(name, rest.strip())
