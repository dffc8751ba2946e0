"""Serves the built test page where DEMO=1; `make setup` builds it from web/."""

from pathlib import Path

from flask import Blueprint, Response, send_from_directory
from werkzeug.exceptions import NotFound

_FOLDER = Path(__file__).parent / "page"
# Nothing but our own files; connections to any LiveKit, which may be on any host. livekit-client
# also asks it over HTTP why a connection failed, and Cloud for its regions.
_CSP = (
    "default-src 'self'; connect-src 'self' ws: wss: http: https:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def create_blueprint(folder: Path = _FOLDER) -> Blueprint:
    """Build the routes `/` and `/assets/…`."""
    blueprint = Blueprint("page", __name__)

    @blueprint.get("/")
    def index() -> Response:
        if not (folder / "index.html").is_file():
            raise NotFound
        return send_from_directory(folder, "index.html", max_age=0)

    @blueprint.get("/assets/<path:name>")
    def asset(name: str) -> Response:
        return send_from_directory(folder / "assets", name, max_age=3600)

    @blueprint.after_request
    def add_headers(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = _CSP
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    return blueprint
