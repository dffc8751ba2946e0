"""/workers: workers of ours tell here where they are, and the operator sees what they told."""

import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from limits import RateLimitItemPerSecond

from shared_settings.worker_words import AUDIENCE
from token_server.auth.operators import Operators
from token_server.auth.rate_limits import MemoryCounts
from token_server.errors import TooManyRequestsError
from token_server.livekit.signed_bodies import SignedBodies
from token_server.state.workers import MOST_WORKERS, KnownWorker, Word, WorkerBook, WorkerState
from token_server.tokens.token_request import parse_body

# Bytes: the most jobs that one may have, each with the longest names.
WORD_LIMIT = 512 * 1024
# A worker tells five times a second at most.
_WORDS = RateLimitItemPerSecond(20)
_SIGNATURE = "a worker's signature with LIVEKIT_API_KEY, or with one of LIVEKIT_WEBHOOK_KEYS"
_IN_URGENCY = list(WorkerState)


class WorkerWords:
    """Takes the words of workers that know one of our API keys.

    Args:
        api_secrets: The secret of each API key.
        book: Where they are kept.
    """

    def __init__(self, api_secrets: Mapping[str, str], book: WorkerBook) -> None:
        self._bodies = SignedBodies(api_secrets, _SIGNATURE, AUDIENCE)
        self._counts = MemoryCounts(_WORDS, MOST_WORKERS)
        self._book = book

    def receive(self) -> None:
        """Take the word in the request that is being answered.

        Raises:
            UnauthenticatedError: It is not a worker's; nothing of it was read then.
            InvalidRequestError: A field breaks a rule.
            TooManyRequestsError: One worker tells more often than any of ours does.
        """
        request.max_content_length = WORD_LIMIT
        authorization = request.headers.get("Authorization", "")
        body = self._bodies.read(lambda: request.get_data(cache=False), authorization)
        word = parse_body(Word, body)
        wait = self._counts.spend(word.process, time.monotonic())
        if wait is not None:
            raise TooManyRequestsError("too many words of one worker", 1)
        self._book.hear(word)


def create_blueprint(
    operators: Operators, words: WorkerWords, book: WorkerBook, agent_names: Sequence[str]
) -> Blueprint:
    """Build the routes.

    Args:
        operators: Who may see the list.
        words: Takes what workers tell.
        book: What they have told.
        agent_names: The names that this server asks for.
    """
    blueprint = Blueprint("workers", __name__)

    @blueprint.get("/workers")
    def show() -> ResponseReturnValue:
        operators.check(dict(request.headers), request.remote_addr)
        return {"agent_names": list(agent_names), "workers": rows(book.workers(), time.time())}

    @blueprint.post("/workers")
    def tell() -> Response:
        words.receive()
        return Response(status=HTTPStatus.NO_CONTENT)

    return blueprint


def rows(workers: Sequence[KnownWorker], now: float) -> list[dict[str, Any]]:
    """Return workers as JSON has them; docs/metrics.md has the shape."""
    order = sorted(workers, key=lambda each: _rank(each, now))
    return [_row(each, now) for each in order]


def _rank(worker: KnownWorker, now: float) -> tuple[int, str, str, str]:
    word = worker.word
    return _IN_URGENCY.index(worker.state(now)), word.agent_name, word.host, word.process


def _row(worker: KnownWorker, now: float) -> dict[str, Any]:
    word, registered_at = worker.word, worker.registered_at
    return {
        "agent_name": word.agent_name,
        "host": word.host,
        "state": worker.state(now),
        "worker_id": word.worker_id,
        "calls": word.calls,
        "max_calls": word.max_calls,
        "seconds_registered": None if registered_at is None else round(now - registered_at, 3),
        "seconds_since_heard": round(max(now - worker.heard_at, 0.0), 3),
        "jobs": [job.model_dump() for job in word.jobs],
    }
