"""The HTTP surface: routes in, errors out. Views contain no try; refusals.py renders errors."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Protocol

from flask import Flask, Response, request
from flask.typing import ResponseReturnValue
from flask_cors import CORS
from werkzeug.middleware.proxy_fix import ProxyFix

from token_server import page
from token_server.before_flask import raise_what_was_handed_over
from token_server.door import Door
from token_server.errors import InvalidRequestError, UnsupportedMediaTypeError
from token_server.joins import Follower, Join, Joins
from token_server.openapi import Api
from token_server.refusals import add_refusals
from token_server.rooms import Rooms
from token_server.settings import Settings
from token_server.ticket import TicketSealer
from token_server.timeline import NOT_KEPT, Timeline
from token_server.token_endpoint import (
    TOKEN_BODY_LIMIT,
    Issuer,
    TokenEndpoint,
    to_json,
)
from token_server.token_request import TokenRequest, parse_json, parse_query
from token_server.webhook_endpoint import WebhookEndpoint
from token_server.webhooks import WEBHOOK_BODY_LIMIT, Listener, Webhooks


class Keeper(Follower, Listener, Protocol):
    """What the application tells of issued tokens and of webhooks, and asks whether it lives."""

    def check_alive(self) -> None:
        """Raise what is wrong with it; asked by /healthz."""


def create_app(
    settings: Settings,
    rooms: Rooms,
    keeper: Keeper,
    check_shared: Callable[[], None] = lambda: None,
    timeline: Timeline = NOT_KEPT,
) -> Flask:
    """Build the WSGI application; it does nothing until it is asked.

    Args:
        settings: What the operator wants.
        rooms: LiveKit.
        keeper: Who is told of issued tokens and of webhooks.
        check_shared: Raises what is wrong with what several machines share; asked by /readyz.
        timeline: Where it is noted what happens in rooms.
    """
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = TOKEN_BODY_LIMIT
    # "//token" is a mistake to be told of, not a redirect to follow with a key in hand.
    app.url_map.merge_slashes = False
    sealer = TicketSealer(*settings.webhook_secrets.values())
    joins = Joins(settings, rooms, sealer, keeper, timeline)
    api = Api(settings.token_auth)
    issuer = Issuer(Door.of(settings), joins)
    _add_token(app, api, issuer, has_pages=bool(settings.cors_origins))
    _add_webhook(app, Webhooks(settings.webhook_secrets, keeper))
    _add_health(app, api, rooms, keeper, check_shared)
    _add_document(app, api)
    add_refusals(app)
    app.after_request(_forbid_caching)
    if settings.trusted_proxies:
        # Each proxy of ours appends the address it was asked from; what stands before that may
        # be anybody's invention.
        behind = ProxyFix(app.wsgi_app, x_for=settings.trusted_proxies)
        app.wsgi_app = behind  # type: ignore[method-assign]
    if settings.demo:
        app.register_blueprint(page.create_blueprint())
    if settings.cors_origins:
        # A page of another origin reads no other headers than these.
        pages = {"origins": list(settings.cors_origins), "expose_headers": ["Retry-After"]}
        CORS(app, resources={"/token": pages}, methods=["GET", "POST"], max_age=600)
    return app


def _add_token(app: Flask, api: Api, issuer: Issuer, *, has_pages: bool) -> None:
    endpoint = TokenEndpoint(app.wsgi_app, issuer, has_pages=has_pages)
    app.wsgi_app = endpoint  # type: ignore[method-assign]

    @app.post("/token")
    @api.posts_token
    def post_token() -> ResponseReturnValue:
        """Make a room ready and get a token for it, by LiveKit's endpoint convention."""
        raise_what_was_handed_over(request.environ)
        return _answer(issuer.issue(request.environ, _posted)), HTTPStatus.CREATED

    @app.get("/token")
    @api.gets_token
    def get_token() -> ResponseReturnValue:
        """Do the same from a query, for curl and simple frontends."""
        return _answer(issuer.issue(request.environ, _queried)), HTTPStatus.OK


def _posted() -> TokenRequest:
    unverified_body = request.get_data(cache=False)
    if unverified_body and not request.is_json:
        raise UnsupportedMediaTypeError("Content-Type must be application/json")
    return parse_json(unverified_body)


def _queried() -> TokenRequest:
    given = request.args.to_dict(flat=False)
    for name, values in given.items():
        if len(values) > 1:
            raise InvalidRequestError(f"{name[:64]!r} must be given once")
    return parse_query({name: values[0] for name, values in given.items()})


def _answer(join: Join) -> Response:
    return Response(to_json(join), mimetype="application/json")


def _add_webhook(app: Flask, webhooks: Webhooks) -> None:
    app.wsgi_app = WebhookEndpoint(app.wsgi_app, webhooks)  # type: ignore[method-assign]

    @app.post("/webhook")
    def webhook() -> ResponseReturnValue:
        raise_what_was_handed_over(request.environ)
        request.max_content_length = WEBHOOK_BODY_LIMIT
        webhooks.receive(request.get_data(cache=False), request.headers.get("Authorization", ""))
        return ""


def _add_health(
    app: Flask, api: Api, rooms: Rooms, keeper: Keeper, check_shared: Callable[[], None]
) -> None:
    @app.get("/healthz")
    @api.tells_health
    def healthz() -> ResponseReturnValue:
        """Tell that the process is alive, and what looks after its rooms too."""
        keeper.check_alive()
        return {"status": "alive"}

    @app.get("/readyz")
    @api.tells_health
    def readyz() -> ResponseReturnValue:
        """Tell whether LiveKit answers and accepts our key, and Redis answers where it is set."""
        # A name that no room has: LiveKit has to accept our key, and has nothing to send.
        rooms.list_rooms(["token-server-readyz"])
        check_shared()
        return {"status": "ready"}


def _add_document(app: Flask, api: Api) -> None:
    @app.get("/openapi.json")
    @api.tells_itself
    def document() -> ResponseReturnValue:
        """Describe the API."""
        return api.document(app)


def _forbid_caching(response: Response) -> Response:
    """Tokens must not be kept, nor a 404 or 405 (RFC 9110, 15.1); the page says otherwise."""
    response.headers.setdefault("Cache-Control", "no-store")
    return response
