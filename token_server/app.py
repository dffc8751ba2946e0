"""The HTTP surface: routes in, errors out. Views contain no try; errors are rendered here once."""

import json
import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Protocol

from flask import Flask, Response, request
from flask.typing import ResponseReturnValue
from flask_cors import CORS
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.middleware.proxy_fix import ProxyFix

from token_server import page
from token_server.callers import restrict
from token_server.door import Door
from token_server.errors import (
    InvalidRequestError,
    RequestTooLargeError,
    TokenServerError,
    TooManyRequestsError,
    UnsupportedMediaTypeError,
)
from token_server.joins import Follower, Joins
from token_server.openapi import Api
from token_server.rooms import Rooms
from token_server.settings import Settings
from token_server.ticket import TicketSealer
from token_server.timeline import NOT_KEPT, Timeline
from token_server.token_request import TokenRequest, parse_json, parse_query
from token_server.webhook_endpoint import WebhookEndpoint
from token_server.webhooks import WEBHOOK_BODY_LIMIT, Listener, Webhooks

logger = logging.getLogger(__name__)

# Bytes.
_TOKEN_BODY_LIMIT = 64 * 1024

# Twirp's code for what werkzeug finds wrong with a request.
_CODES = {
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "bad_route",
}


class Keeper(Follower, Listener, Protocol):
    """What the application tells of issued tokens and of webhooks."""


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
    app.config["MAX_CONTENT_LENGTH"] = _TOKEN_BODY_LIMIT
    # "//token" is a mistake to be told of, not a redirect to follow with a key in hand.
    app.url_map.merge_slashes = False
    sealer = TicketSealer(settings.livekit_api_secret)
    joins = Joins(settings, rooms, sealer, keeper, timeline)
    api = Api(settings.token_auth)
    _add_token(app, api, joins, Door.of(settings))
    _add_webhook(app, Webhooks(settings.webhook_secrets, keeper))
    _add_health(app, api, rooms, check_shared)
    app.add_url_rule("/openapi.json", view_func=lambda: api.document(app), endpoint="openapi")
    app.register_error_handler(TokenServerError, _render)
    app.register_error_handler(HTTPException, _render_http)
    app.register_error_handler(RequestEntityTooLarge, _render_too_large)
    app.after_request(_forbid_caching)
    app.register_error_handler(Exception, _render_bug)
    if settings.trusted_proxies:
        # Each proxy of ours appends the address it was asked from; what stands before that may
        # be anybody's invention.
        behind = ProxyFix(app.wsgi_app, x_for=settings.trusted_proxies)
        app.wsgi_app = behind  # type: ignore[method-assign]
    if settings.demo:
        app.register_blueprint(page.create_blueprint())
    if settings.cors_origins:
        origins = list(settings.cors_origins)
        CORS(app, resources={"/token": {"origins": origins}}, methods=["GET", "POST"], max_age=600)
    return app


def _add_token(app: Flask, api: Api, joins: Joins, door: Door) -> None:
    @app.post("/token")
    @api.posts_token
    def post_token() -> ResponseReturnValue:
        """Make a room ready and get a token for it, by LiveKit's endpoint convention."""
        caller = door.let_in(request.headers.get("Authorization", ""), request.remote_addr)
        return _answer(joins, restrict(_posted(), caller)), HTTPStatus.CREATED

    @app.get("/token")
    @api.gets_token
    def get_token() -> ResponseReturnValue:
        """Do the same from a query, for curl and simple frontends."""
        caller = door.let_in(request.headers.get("Authorization", ""), request.remote_addr)
        return _answer(joins, restrict(_queried(), caller)), HTTPStatus.OK


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


def _answer(joins: Joins, token_request: TokenRequest) -> Response:
    join = joins.prepare(token_request)
    return Response(json.dumps(vars(join)), mimetype="application/json")


def _add_webhook(app: Flask, webhooks: Webhooks) -> None:
    app.wsgi_app = WebhookEndpoint(app.wsgi_app, webhooks)  # type: ignore[method-assign]

    @app.post("/webhook")
    def webhook() -> ResponseReturnValue:
        request.max_content_length = WEBHOOK_BODY_LIMIT
        webhooks.receive(request.get_data(cache=False), request.headers.get("Authorization", ""))
        return ""


def _add_health(app: Flask, api: Api, rooms: Rooms, check_shared: Callable[[], None]) -> None:
    @app.get("/healthz")
    @api.tells_health
    def healthz() -> ResponseReturnValue:
        """Tell that the process is alive."""
        return {"status": "alive"}

    @app.get("/readyz")
    @api.tells_health
    def readyz() -> ResponseReturnValue:
        """Tell whether LiveKit answers and accepts our key, and Redis answers where it is set."""
        # A name that no room has: LiveKit has to accept our key, and has nothing to send.
        rooms.list_rooms(["token-server-readyz"])
        check_shared()
        return {"status": "ready"}


def _render(error: TokenServerError) -> ResponseReturnValue:
    level = logging.ERROR if error.code == "internal" else logging.INFO
    if request.path == "/readyz" and error.code == "unavailable":
        # Platforms ask every few seconds, and whoever found out first has said it.
        level = logging.DEBUG
    logger.log(
        level,
        "Refused",
        extra={"path": request.path[:64], "code": error.code, "reason": str(error)},
    )
    headers = {}
    if error.http_status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooManyRequestsError):
        headers["Retry-After"] = str(error.retry_after)
    return {"code": error.code, "msg": str(error)}, error.http_status, headers


def _forbid_caching(response: Response) -> Response:
    """Tokens must not be kept, nor a 404 or 405 (RFC 9110, 15.1); the page says otherwise."""
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _render_too_large(error: RequestEntityTooLarge) -> ResponseReturnValue:
    del error
    limit = request.max_content_length
    return _render(RequestTooLargeError(f"body must be at most {limit} bytes"))


def _render_http(error: HTTPException) -> ResponseReturnValue:
    """Give werkzeug's own errors (404, 405, …) the same body; keep headers such as Allow."""
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    code = _CODES.get(
        status, "invalid_argument" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "internal"
    )
    headers = [(name, value) for name, value in error.get_headers() if name != "Content-Type"]
    return {"code": code, "msg": f"{status} {status.phrase}"}, status, headers


def _render_bug(error: Exception) -> ResponseReturnValue:
    logger.error("A request failed", extra={"path": request.path[:64]}, exc_info=error)
    return {"code": "internal", "msg": "an error of this server; its log has the details"}, 500
