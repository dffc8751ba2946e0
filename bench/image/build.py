"""What `docker build` would do with our Dockerfile, step by step, in a bare Debian."""

import time
from dataclasses import dataclass, field
from pathlib import Path

from bench.image.bare_debian import BareDebian
from bench.image.dockerfile import Instruction, instructions
from bench.progress import say


@dataclass
class Image:
    """What is there after the last instruction."""

    debian: BareDebian
    health: list[str] = field(default_factory=list)
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)


def build(root: Path, dockerfile: str, context: Path, given: dict[str, str]) -> Image:
    """Do all instructions.

    Args:
        root: An empty folder.
        dockerfile: Its text.
        context: What COPY copies from.
        given: Of `--build-arg`.

    Raises:
        RuntimeError: A step failed.
    """
    image, arguments = Image(BareDebian(root)), dict(given)
    for instruction in instructions(dockerfile):
        started = time.monotonic()
        _do(image, instruction, arguments, context)
        seconds = time.monotonic() - started
        say(f"    {seconds:5.1f} s  {instruction.name} {instruction.rest[:70]}")
    return image


def _do(image: Image, step: Instruction, arguments: dict[str, str], context: Path) -> None:
    debian = image.debian
    match step.name:
        case "FROM":
            debian.create(step.rest.partition(":")[2].removesuffix("-slim"))
        case "WORKDIR":
            debian.folder = step.rest
            debian.inside("").mkdir(parents=True, exist_ok=True)
        case "ARG":
            arguments.update(step.pairs() | arguments)
        case "ENV":
            debian.environ.update(step.pairs())
        case "COPY":
            source, target = step.words(arguments)
            debian.copy(context / source, target)
        case "RUN":
            debian.run(" ".join(step.words(arguments)))
        case "USER":
            debian.user = step.rest
        case _:
            _note(image, step)


def _note(image: Image, step: Instruction) -> None:
    """Remember what is for the time after the build."""
    match step.name:
        case "HEALTHCHECK":
            image.health = step.command()
        case "ENTRYPOINT":
            image.entrypoint = step.command()
        case "CMD":
            image.command = step.command()
        case "EXPOSE":
            pass
        case _:
            raise RuntimeError(f"{step.name} is not known here")
