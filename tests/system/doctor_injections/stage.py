"""Where things go wrong, what an injection is, and how the doctor's commands are tried on it."""

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Self

from tests.humans import Humans
from tests.redis_server import RedisServer
from tests.system.deployment import Deployment
from tests.system.doctor_site import Site, is_doctor
from tests.system.doctor_stage import BorrowedStack, Diagnosis, Stack

# A cure may bring the next cause to light, and a worker that has just been started takes a moment.
_ROUNDS = 3


@dataclass(frozen=True, kw_only=True)
class Case:
    """Something that is wrong now.

    Attributes:
        site: Where.
        arguments: What the doctor is told.
        goes_by: What others do meanwhile, where nothing that can be typed there is the cure.
    """

    site: Site
    arguments: tuple[str, ...] = ()
    goes_by: Callable[[], object] | None = None


class Stage:
    """Lends one site after the other; a context manager, for as long as several cases.

    Args:
        lender: Whose LiveKit and worker are borrowed.
        folder: For all files.
        is_thorough: Whether what need not be started again is so, where that is typed.
    """

    def __init__(self, lender: Deployment, folder: Path, *, is_thorough: bool = False) -> None:
        self._lender, self._folder, self._is_thorough = lender, folder, is_thorough
        self._borrowed: tuple[BorrowedStack, Site] | None = None
        self._of_case = ExitStack()
        self.livekit = lender.livekit

    def site(self, **settings: str) -> Site:
        """Return the site that all share, as it should be but for these settings in `.env`."""
        if self._borrowed is None:
            stack = BorrowedStack(self._lender, self.new_folder())
            self._borrowed = stack, self._site_of(stack)
        _, site = self._borrowed
        site.reset()
        site.with_worker().write(**settings)
        return site

    def own_site(
        self, *, livekit: Mapping[str, Any] | None = None, redis_address: str = ""
    ) -> Site:
        """Return one with a LiveKit of its own, and no worker yet."""
        stack = self.have(Stack(self.new_folder(), livekit=livekit, redis_address=redis_address))
        site = self._site_of(stack)
        self._of_case.callback(site.close)
        return site

    def _site_of(self, stack: Stack) -> Site:
        return Site(stack, self.new_folder(), is_thorough=self._is_thorough)

    def have(self, resource: Any) -> Any:  # noqa: ANN401 (whatever it is, it is returned)
        """Enter a context that ends with the case."""
        return self._of_case.enter_context(resource)

    def humans(self) -> Humans:
        """Return people who leave with the case."""
        humans: Humans = self.have(Humans())
        return humans

    def redis(self, **options: Any) -> RedisServer:  # noqa: ANN401 (RedisServer's)
        """Start a Redis for the case."""
        server: RedisServer = self.have(RedisServer(self.new_folder(), **options))
        return server

    def new_folder(self) -> Path:
        """Make one; a short name, since sockets are made in it."""
        return Path(mkdtemp(dir=self._folder, prefix=""))

    def end_case(self) -> None:
        """End what the case had of its own, and the rooms that it has left."""
        self._of_case.close()
        for room in self._lender.rooms.list_rooms():
            self._lender.end_room(room.room_name)

    def renew(self) -> None:
        """Let the next site be one where nothing has been before: no worker that has told."""
        if self._borrowed:
            (stack, site), self._borrowed = self._borrowed, None
            with stack:
                if worker := site.close():
                    self._lender.adopt_worker(worker)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end_case()
        self.renew()


@dataclass(frozen=True)
class Injection:
    """A cause, and how it is brought about.

    Attributes:
        cause: The doctor's word for it.
        how: What is done, in a few words.
        inject: Does it.
        is_frequent: Whether it is what many meet, and cheap to bring about.
    """

    cause: str
    how: str
    inject: Callable[[Stage], Case]
    is_frequent: bool = False


@dataclass(frozen=True, kw_only=True)
class Course:
    """How it went.

    Attributes:
        found: What the doctor said at first.
        typed: The commands that it had printed, as printed.
        after: What it said at the end.
        is_outside: Whether others had to act too.
        seconds: From the first command to the end of that.
    """

    found: Diagnosis
    typed: tuple[str, ...]
    after: Diagnosis
    is_outside: bool
    seconds: float

    def is_named(self, cause: str) -> bool:
        """Whether the cause was the first that the doctor named."""
        return self.found.causes()[:1] == [cause]

    def is_cured(self, cause: str) -> bool:
        """Whether all is well; where others had to act, whether it is not this any more."""
        if self.is_outside:
            return bool(self.typed) and cause not in self.after.causes()
        return bool(self.typed) and self.after.content["finding"] == "ok"


def treat(injection: Injection, stage: Stage) -> Course:
    """Let something go wrong, ask the doctor, type what it prints, and ask again."""
    try:
        case = injection.inject(stage)
        found = after = case.site.diagnose(*case.arguments)
        typed: list[str] = []
        started = time.monotonic()
        for _ in range(_ROUNDS):
            if not (troubles := after.troubles()):
                break
            trouble = troubles[0]
            typed += trouble["commands"]
            if trouble["commands"] and is_doctor(trouble["commands"][-1]):
                # Nothing is changed here: what is to be done elsewhere stands in the cure.
                case.site.configure_livekit(trouble["cure"])
            told = case.site.type(trouble["commands"])
            if case.goes_by:
                case.goes_by()
                told = None
            after = told or case.site.diagnose(*case.arguments)
            if case.goes_by and injection.cause not in after.causes():
                break
        seconds = time.monotonic() - started
    finally:
        stage.end_case()
    return Course(
        found=found,
        typed=tuple(typed),
        after=after,
        is_outside=case.goes_by is not None,
        seconds=seconds,
    )
