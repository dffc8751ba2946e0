"""The turns of the loops that look and peek: what is due is asked for, and put back."""

import logging
from collections.abc import Callable
from typing import Protocol

from token_server.errors import LiveKitBusyError, TokenServerError
from token_server.keeper.keeper_records import KeeperMetrics
from token_server.keeper.last_seen_agents import LastSeenAgents
from token_server.keeper.livekit_silence import News, Silence
from token_server.keeper.look_queue import Agenda
from token_server.keeper.loops import LONGEST_WAIT
from token_server.keeper.observed_room import LookReport
from token_server.keeper.schedule import Looked
from token_server.livekit.pace import asking_for

logger = logging.getLogger(__name__)

# Seconds until the next look at a room when LiveKit has had too many requests, unless it names
# more: no room fails, and LiveKit is not silent.
_BUSY, _BUSY_MOST = 1.0, 15.0


class Looks(Protocol):
    """Looks at rooms, from any thread: a Looker, or one whose looks are traced."""

    sightings: LastSeenAgents

    def look(self, room_name: str) -> LookReport:
        """Bring the room as near to attended as can be done now."""

    def peek(self, room_name: str) -> bool:
        """Whether nobody is in the room."""

    def room_made(self, room_name: str) -> None:
        """Know that this process has just made a room."""

    def room_ended(self, room_name: str) -> None:
        """Know that a room is no more."""


class Looking:
    """Takes rooms from an agenda, from any thread.

    Args:
        agenda: What is due.
        looker: Looks and peeks.
        silence: Whether LiveKit answers.
        metrics: Counts peeks that fail.
        looked: Is told of each look that LiveKit has answered.
        look_failed: Is told of each that it has not.
    """

    def __init__(  # noqa: PLR0913, PLR0917 (everything arrives as an argument)
        self,
        agenda: Agenda,
        looker: Looks,
        silence: Silence,
        metrics: KeeperMetrics,
        looked: Callable[[str, LookReport], None],
        look_failed: Callable[[str], None],
    ) -> None:
        self._agenda, self._looker, self._silence = agenda, looker, silence
        self._metrics, self._looked, self._look_failed = metrics, looked, look_failed

    def look(self) -> float:
        """Look at the next room that is due."""
        if (due := self._agenda.take(LONGEST_WAIT)) is None:
            return 0.0
        room_name = due.room_name
        report: LookReport | None = None
        failure: TokenServerError | None = None
        put_off: Looked | None = None
        try:
            with asking_for(due.purpose, paid=1):
                report = self._looker.look(room_name)
            self._looked(room_name, report)
        except LiveKitBusyError as error:
            # For the same as before: a sweep's look is no human's who waits, and is held back.
            put_off = Looked(again_in=longer(error, _BUSY), purpose=due.purpose)
        except TokenServerError as error:
            failure = error
            logger.debug("A look failed", extra={"room": room_name, "reason": str(error)})
        except Exception:
            logger.exception("A look failed", extra={"room": room_name})
        finally:
            failures = self._put_back(room_name, report, put_off)
        self._tell_of(room_name, failure, failures, is_answered=report is not None)
        return 0.0

    def peek(self) -> float:
        """See whether anybody is in the next room that is followed."""
        if (due := self._agenda.take_peek(LONGEST_WAIT)) is None:
            return 0.0
        room_name = due.room_name
        is_empty: bool | None = None
        failure: TokenServerError | None = None
        is_put_off = False
        try:
            with asking_for(due.purpose, paid=1):
                is_empty = self._looker.peek(room_name)
        except LiveKitBusyError:
            is_put_off = True
        except TokenServerError as error:
            failure = error
            self._metrics.look_failed()
        except Exception:
            self._metrics.look_failed()
            logger.exception("A look failed", extra={"room": room_name})
        finally:
            failures = self._put_back_peeked(room_name, is_empty=True if is_put_off else is_empty)
        self._tell_of(room_name, failure, failures, is_answered=is_empty is not None)
        return 0.0

    def _put_back_peeked(self, room_name: str, *, is_empty: bool | None) -> int:
        """Return how often in a row a peek or look at this room has failed."""
        if is_empty is None:
            return self._agenda.fail_peek(room_name)
        self._agenda.peeked(room_name, is_empty=is_empty)
        return 0

    def _put_back(self, room_name: str, report: LookReport | None, put_off: Looked | None) -> int:
        """Return how often in a row a look at this room has failed."""
        if report is None:
            self._look_failed(room_name)
        if (looked := report or put_off) is None:
            return self._agenda.fail(room_name)
        self._agenda.finish(room_name, looked)
        return 0

    def _tell_of(
        self, room_name: str, failure: TokenServerError | None, failures: int, *, is_answered: bool
    ) -> None:
        """Tell what a look or a peek means for LiveKit's silence."""
        if is_answered:
            self.tell(self._silence.looked(room_name))
        elif failure:
            self.tell(self._silence.look_failed(room_name, failures), failure, room_name)

    def tell(self, news: News, error: TokenServerError | None = None, room_name: str = "") -> None:
        """Log what is to be said, each once."""
        room = {"room": room_name} if room_name else {}
        match news:
            case News.SILENT:
                logger.warning("Rooms cannot be looked at: %s", error, extra=room)
            case News.ROOM:
                logger.warning("A room cannot be looked at: %s", error, extra=room)
            case News.BACK:
                logger.info("Rooms can be looked at again")
                self._agenda.forgive(unless=self._silence.failing_alone())
            case News.NOTHING:
                pass


def longer(busy: LiveKitBusyError, least: float) -> float:
    """Return the seconds until LiveKit is asked again that has had too many requests."""
    return min(max(busy.retry_after, least), _BUSY_MOST)
