"""The HTTP surface: routes in, errors out. Views contain no try: error_responses.py renders."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Protocol

from flask import Flask, request
from flask.typing import ResponseReturnValue
from flask_cors.core import get_cors_headers, get_cors_options
from werkzeug.datastructures import Headers
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Request, Response

from token_server.auth.admission import Admission
from token_server.auth.demo_pages import DemoPages
from token_server.auth.session_limit import SessionLimit
from token_server.http_api import demo_page
from token_server.http_api.endpoint import Endpoint, Endpoints, forbid_caching
from token_server.http_api.error_responses import render
from token_server.http_api.openapi import describe
from token_server.http_api.readiness import Readiness
from token_server.http_api.token_endpoint import TOKEN_BODY_LIMIT, token_views
from token_server.http_api.webhook_endpoint import webhook_views
from token_server.livekit.port import LiveKit
from token_server.livekit.webhooks import WebhookListener, Webhooks
from token_server.setting_types import origin_matcher
from token_server.settings import Settings
from token_server.state.sessions import MemorySessions, SessionStore
from token_server.state.timeline import NOT_KEPT, Timeline
from token_server.tokens.joins import Follower, Joins
from token_server.tokens.tickets import TicketSealer

if TYPE_CHECKING:
    from token_server.state.redis_link import RedisLink


# flask-cors looks through its options for each request: a tenth of what a token costs.
_ORIGINS_REMEMBERED = 128


class RunningKeeper(Follower, WebhookListener, Protocol):
    """What the application tells of issued tokens and of webhooks, and asks whether it lives."""

    def check_alive(self) -> None:
        """Raise what is wrong with it; asked by /healthz."""


@dataclass(frozen=True, kw_only=True)
class Shared:
    """What the processes of a machine, or of several, have together.

    Attributes:
        redis: What several machines share; None if they share nothing.
        timeline: Where it is noted what happens in rooms.
        sessions: Where it is kept whose rooms are which.
    """

    redis: "RedisLink | None" = None
    timeline: Timeline = NOT_KEPT
    sessions: SessionStore = field(default_factory=MemorySessions)


def create_app(
    settings: Settings,
    livekit: LiveKit,
    keeper: RunningKeeper,
    shared: Shared | None = None,
) -> Flask:
    """Build the WSGI application; it does nothing until it is asked.

    Args:
        settings: What the operator wants.
        livekit: LiveKit.
        keeper: Who is told of issued tokens and of webhooks.
        shared: What it shares with other processes; None: nothing.
    """
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = TOKEN_BODY_LIMIT
    # "//token" is a mistake to be told of, not a redirect to follow with a key in hand.
    app.url_map.merge_slashes = False
    admit = DemoPages(settings).check if settings.demo else lambda _: None
    app.before_request(lambda: admit(request))
    app.before_request(_refuse_slashes)
    app.register_error_handler(Exception, lambda error: render(error, request))
    app.after_request(forbid_caching)
    sealer = TicketSealer(*settings.webhook_secrets.values())
    shared = shared or Shared()
    joins = Joins(settings, livekit, sealer, keeper, shared.timeline)
    sessions = SessionLimit(settings, shared.sessions, livekit)
    tokens = token_views(Admission(settings, shared.redis), sessions, joins)
    webhooks = webhook_views(Webhooks(settings.webhook_secrets, keeper))
    endpoints = {
        "/token": Endpoint(tokens, admit, _add_cors(app, settings.cors_origins)),
        "/webhook": Endpoint(webhooks, admit),
    }
    app.wsgi_app = Endpoints(endpoints, app.wsgi_app)  # type: ignore[method-assign]
    has_quota = bool(settings.requests_per_minute)
    _add_health(app, keeper, Readiness(livekit, shared.redis, has_quota=has_quota))
    document = partial(describe, settings.token_auth, has_options=settings.dispatch_options)
    app.add_url_rule("/openapi.json", "document", document)
    if settings.demo:
        app.register_blueprint(demo_page.create_blueprint())
    return app


def _add_cors(app: Flask, origins: Sequence[str]) -> Callable[[Request, Response], None]:
    """Return what lets pages of these origins read answers; no others than these headers."""
    pages = {"origins": [origin_matcher(one) for one in origins], "expose_headers": ["Retry-After"]}
    options = get_cors_options(app, pages, {"methods": ["GET", "POST"], "max_age": 600})

    @lru_cache(_ORIGINS_REMEMBERED)
    def for_origin(origin: str | None) -> Sequence[tuple[str, Any]]:
        headers = Headers({"Origin": origin} if origin else {})
        return list(get_cors_headers(options, headers, "GET").items(multi=True))

    def add(request: Request, response: Response) -> None:
        if request.method == "OPTIONS":
            response.headers.extend(get_cors_headers(options, request.headers, request.method))
        else:
            response.headers.extend(for_origin(request.headers.get("Origin")))

    return add if origins else lambda *_: None


def _add_health(app: Flask, keeper: RunningKeeper, readiness: Readiness) -> None:
    @app.get("/healthz")
    def healthz() -> ResponseReturnValue:
        keeper.check_alive()
        return {"status": "alive"}

    app.add_url_rule("/readyz", "readyz", readiness.check)


def _refuse_slashes() -> None:
    """Find nothing at "//token": werkzeug routes it as "/token", whatever merge_slashes says."""
    if request.environ["PATH_INFO"].startswith("//"):
        raise NotFound
