"""A path that is asked for every join or every event: WSGI, without Flask's frame around it.

With the same answers as Flask views, `/token` missed 1.2 times what Node.js does: contexts, signals
and hooks took a seventh of a token's processor time. All else is Flask's, and errors look the same.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.exceptions import MethodNotAllowed
from werkzeug.wrappers import Request, Response

from token_server.http_api.error_responses import render

View = Callable[[Request], Response]
AnyResponse = TypeVar("AnyResponse", bound=Response)  # Flask's too


class Endpoint:
    """One path.

    Args:
        views: What answers each method.
        admit: Called first; raises what refuses the request.
        finish: Called last, also with errors; may add headers.
    """

    def __init__(
        self,
        views: Mapping[str, View],
        admit: Callable[[Request], None],
        finish: Callable[[Request, Response], None] = lambda *_: None,
    ) -> None:
        head = {"HEAD": views["GET"]} if "GET" in views else {}
        self._views = {"OPTIONS": self._options, **head, **views}
        self._admit, self._finish = admit, finish

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request, whatever is wrong with it."""
        request = Request(environ)
        try:
            self._admit(request)
            response = self._answer(request)
        except Exception as error:  # noqa: BLE001 (each becomes an answer, and bugs are logged)
            response = render(error, request)
        forbid_caching(response)
        self._finish(request, response)
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        view = self._views.get(request.method)
        if view is None:
            raise MethodNotAllowed(sorted(self._views))
        return view(request)

    def _options(self, _: Request) -> Response:
        return Response(headers={"Allow": ", ".join(sorted(self._views))})


class Endpoints:
    """WSGI middleware: these paths are answered here, all others behind it."""

    def __init__(self, endpoints: Mapping[str, Endpoint], behind: WSGIApplication) -> None:
        self._endpoints, self._behind = endpoints, behind

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Hand a request on to whom it is for."""
        answer = self._endpoints.get(environ["PATH_INFO"], self._behind)
        return answer(environ, start_response)


def forbid_caching(response: AnyResponse) -> AnyResponse:
    """Tokens must not be kept, nor a 404 or 405 (RFC 9110, 15.1); the page says otherwise."""
    response.headers.setdefault("Cache-Control", "no-store")
    return response
