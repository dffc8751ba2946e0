"""The turns of the loops that look and peek: what is due is asked for, and put back."""

import logging
from collections.abc import Callable
from typing import Protocol

from token_server.errors import TokenServerError
from token_server.keeper.keeper_records import KeeperMetrics
from token_server.keeper.last_seen_agents import LastSeenAgents
from token_server.keeper.livekit_silence import News, Silence
from token_server.keeper.look_queue import Agenda
from token_server.keeper.loops import LONGEST_WAIT
from token_server.keeper.observed_room import LookReport

logger = logging.getLogger(__name__)


class Looks(Protocol):
    """Looks at rooms, from any thread: a Looker, or one whose looks are traced."""

    sightings: LastSeenAgents

    def look(self, room_name: str) -> LookReport:
        """Bring the room as near to attended as can be done now."""

    def peek(self, room_name: str) -> bool:
        """Whether nobody is in the room."""

    def room_made(self, room_name: str) -> None:
        """Know that this process has just made a room."""


class Looking:
    """Takes rooms from an agenda, from any thread.

    Args:
        agenda: What is due.
        looker: Looks and peeks.
        silence: Whether LiveKit answers.
        metrics: Counts what fails.
        looked: Is told of each look that LiveKit has answered.
    """

    def __init__(
        self,
        agenda: Agenda,
        looker: Looks,
        silence: Silence,
        metrics: KeeperMetrics,
        looked: Callable[[str, LookReport], None],
    ) -> None:
        self._agenda, self._looker, self._silence = agenda, looker, silence
        self._metrics, self._looked = metrics, looked

    def look(self) -> float:
        """Look at the next room that is due."""
        if (room_name := self._agenda.take(LONGEST_WAIT)) is None:
            return 0.0
        report: LookReport | None = None
        failure: TokenServerError | None = None
        try:
            report = self._looker.look(room_name)
            self._looked(room_name, report)
        except TokenServerError as error:
            failure = error
            self._metrics.look_failed()
            logger.debug("A look failed", extra={"room": room_name, "reason": str(error)})
        except Exception:
            self._metrics.look_failed()
            logger.exception("A look failed", extra={"room": room_name})
        finally:
            failures = self._put_back(room_name, report)
        if report:
            self.tell(self._silence.looked(room_name))
        elif failure:
            self.tell(self._silence.look_failed(room_name, failures), failure, room_name)
        return 0.0

    def peek(self) -> float:
        """See whether anybody is in the next room that is followed."""
        if (room_name := self._agenda.take_peek(LONGEST_WAIT)) is None:
            return 0.0
        is_empty: bool | None = None
        failure: TokenServerError | None = None
        try:
            is_empty = self._looker.peek(room_name)
        except TokenServerError as error:
            failure = error
            self._metrics.look_failed()
        except Exception:
            self._metrics.look_failed()
            logger.exception("A look failed", extra={"room": room_name})
        finally:
            failures = self._put_back_peeked(room_name, is_empty=is_empty)
        if is_empty is not None:
            self.tell(self._silence.looked(room_name))
        elif failure:
            self.tell(self._silence.look_failed(room_name, failures), failure, room_name)
        return 0.0

    def _put_back_peeked(self, room_name: str, *, is_empty: bool | None) -> int:
        """Return how often in a row a peek or look at this room has failed."""
        if is_empty is None:
            return self._agenda.fail_peek(room_name)
        self._agenda.peeked(room_name, is_empty=is_empty)
        return 0

    def _put_back(self, room_name: str, report: LookReport | None) -> int:
        """Return how often in a row a look at this room has failed."""
        if report is None:
            return self._agenda.fail(room_name)
        self._agenda.finish(room_name, report)
        return 0

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
