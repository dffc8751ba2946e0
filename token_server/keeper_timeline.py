"""What the keeper sees of rooms, noted in their timelines."""

from token_server import livekit_facts
from token_server.attendance import reason_of
from token_server.observation import LookReport
from token_server.rooms import Participant
from token_server.timeline import Event, Timeline


class KeeperTimeline:
    """Notes what looks show and decide, and what webhooks tell."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self.flush = timeline.flush

    def looked(self, room_name: str, report: LookReport) -> None:
        """Note who was there, which jobs were taken, and what was decided."""
        self._timeline.add(livekit_facts.arrivals(room_name, report.participants))
        for action, seen in report.decided:
            self._timeline.add(livekit_facts.jobs(room_name, seen.dispatches))
            agent_name = seen.order.agent_name
            self._timeline.note_look(room_name, agent_name, reason_of(action), seen.now)

    def participant_changed(
        self, room_name: str, participant: Participant, *, is_here: bool
    ) -> None:
        """Note who came or went."""
        self._timeline.add(livekit_facts.arrivals(room_name, [participant]))
        if not is_here:
            now = self._timeline.now()
            self._timeline.add(livekit_facts.departures(room_name, participant, now))

    def track_published(self, room_name: str, participant: Participant) -> None:
        """Note somebody's first track."""
        now = self._timeline.now()
        entry = livekit_facts.of_participant(room_name, Event.FIRST_TRACK, participant, now)
        self._timeline.add([entry])

    def room_ended(self, room_name: str, room_sid: str) -> None:
        """Note a room's end."""
        self._timeline.note(room_name, Event.ROOM_ENDED, subject=room_sid)
