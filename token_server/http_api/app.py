"""The HTTP surface: routes in, errors out. Views contain no try: error_responses.py renders."""

from typing import TYPE_CHECKING, Protocol

from flask import Flask, Response, request
from flask.typing import ResponseReturnValue
from flask_cors import CORS
from werkzeug.exceptions import NotFound

from token_server.auth import demo_pages
from token_server.auth.admission import Admission
from token_server.http_api import demo_page
from token_server.http_api.error_responses import add_error_responses
from token_server.http_api.openapi import Api
from token_server.http_api.readiness import Readiness
from token_server.http_api.token_endpoint import TOKEN_BODY_LIMIT, add_token
from token_server.http_api.webhook_endpoint import add_webhook
from token_server.livekit.rooms import Rooms
from token_server.livekit.webhooks import WebhookListener, Webhooks
from token_server.settings import Settings
from token_server.state.timeline import NOT_KEPT, Timeline
from token_server.tokens.joins import Follower, Joins
from token_server.tokens.tickets import TicketSealer

if TYPE_CHECKING:
    from token_server.state.redis_link import RedisLink


class RunningKeeper(Follower, WebhookListener, Protocol):
    """What the application tells of issued tokens and of webhooks, and asks whether it lives."""

    def check_alive(self) -> None:
        """Raise what is wrong with it; asked by /healthz."""


def create_app(
    settings: Settings,
    rooms: Rooms,
    keeper: RunningKeeper,
    redis: "RedisLink | None" = None,
    timeline: Timeline = NOT_KEPT,
) -> Flask:
    """Build the WSGI application; it does nothing until it is asked.

    Args:
        settings: What the operator wants.
        rooms: LiveKit.
        keeper: Who is told of issued tokens and of webhooks.
        redis: What several machines share; None if they share nothing.
        timeline: Where it is noted what happens in rooms.
    """
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = TOKEN_BODY_LIMIT
    # "//token" is a mistake to be told of, not a redirect to follow with a key in hand.
    app.url_map.merge_slashes = False
    app.before_request(_refuse_slashes)
    sealer = TicketSealer(*settings.webhook_secrets.values())
    joins = Joins(settings, rooms, sealer, keeper, timeline)
    api = Api(settings.token_auth)
    add_token(app, api, Admission(settings, redis), joins)
    add_webhook(app, Webhooks(settings.webhook_secrets, keeper))
    _add_health(app, api, keeper, Readiness(rooms, redis))
    _add_document(app, api)
    add_error_responses(app)
    app.after_request(_forbid_caching)
    if settings.demo:
        demo_pages.guard(app, settings)
        app.register_blueprint(demo_page.create_blueprint())
    if settings.cors_origins:
        # A page of another origin reads no other headers than these.
        pages = {"origins": list(settings.cors_origins), "expose_headers": ["Retry-After"]}
        CORS(app, resources={"/token": pages}, methods=["GET", "POST"], max_age=600)
    return app


def _add_health(app: Flask, api: Api, keeper: RunningKeeper, readiness: Readiness) -> None:
    @app.get("/healthz")
    @api.tells_health
    def healthz() -> ResponseReturnValue:
        """Tell that the process is alive, and what looks after its rooms too."""
        keeper.check_alive()
        return {"status": "alive"}

    @app.get("/readyz")
    @api.tells_health
    def readyz() -> ResponseReturnValue:
        """Tell whether LiveKit answers and accepts our key; and Redis, where it is set."""
        return readiness.check()


def _add_document(app: Flask, api: Api) -> None:
    @app.get("/openapi.json")
    @api.tells_itself
    def document() -> ResponseReturnValue:
        """Describe the API."""
        return api.document(app)


def _refuse_slashes() -> None:
    """Find nothing at "//token": werkzeug routes it as "/token", whatever merge_slashes says."""
    if request.environ["PATH_INFO"].startswith("//"):
        raise NotFound


def _forbid_caching(response: Response) -> Response:
    """Tokens must not be kept, nor a 404 or 405 (RFC 9110, 15.1); the page says otherwise."""
    response.headers.setdefault("Cache-Control", "no-store")
    return response
