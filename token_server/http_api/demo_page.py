"""Serves the built test page, and one to try the API, where DEMO=1; `make setup` builds them."""

from pathlib import Path

from flask import Blueprint, Response, send_from_directory
from werkzeug.exceptions import NotFound

_FOLDER = Path(__file__).parent / "page"
# Nothing but our own files; connections to any LiveKit, which may be on any host. livekit-client
# also asks it over HTTP why a connection failed, and Cloud for its regions. Swagger UI's icons are
# in its style sheet.
_CSP = (
    "default-src 'self'; connect-src 'self' ws: wss: http: https:; img-src 'self' data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def create_blueprint(folder: Path = _FOLDER) -> Blueprint:
    """Build the routes `/`, `/api` and `/assets/…`."""
    blueprint = Blueprint("page", __name__)

    @blueprint.get("/", defaults={"name": "index.html"})
    @blueprint.get("/api", defaults={"name": "api.html"})
    def page(name: str) -> Response:
        if not (folder / name).is_file():
            raise NotFound
        return send_from_directory(folder, name, max_age=0)

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
