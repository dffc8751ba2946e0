"""The traced parts of a token server, for composition.py."""

from flask import Flask

from token_server import __version__
from token_server.keeper.awaited_humans import AwaitedHumans
from token_server.keeper.look_at_room import Looker
from token_server.livekit.port import LiveKit
from token_server.telemetry.metrics import Metrics
from token_server.tokens.tickets import TicketSealer
from token_server.tracing.calls import TracedLiveKit
from token_server.tracing.delivery import Delivery
from token_server.tracing.traced_looks import TracedLooker
from token_server.tracing.traced_requests import TracedRequests


class Tracing:
    """Traces what one process does; its methods build the parts that do so."""

    def __init__(self, delivery: Delivery, sealer: TicketSealer) -> None:
        self._tracer = delivery.provider.get_tracer("token_server", __version__)
        self._sealer, self._arrivals = sealer, AwaitedHumans()
        self.start, self.stop = delivery.start, delivery.stop

    def livekit(self, livekit: LiveKit, metrics: Metrics) -> TracedLiveKit:
        """Build what records the calls to LiveKit."""
        return TracedLiveKit(livekit, metrics)

    def looks(self, looker: Looker) -> TracedLooker:
        """Have the looks of a looker, which has our rooms, become spans."""
        return TracedLooker(looker, self._tracer, self._sealer, self._arrivals)

    def trace_requests(self, app: Flask) -> None:
        """Have the application's tokens and webhooks become spans."""
        traced = TracedRequests(app.wsgi_app, self._tracer, self._sealer, self._arrivals)
        app.wsgi_app = traced  # type: ignore[method-assign]
