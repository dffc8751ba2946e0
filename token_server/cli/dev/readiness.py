"""When the stack may be called ready: each part says so itself."""

import http.client
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping

_LOOK_SECONDS = 0.2
_REMIND_SECONDS = 15.0
_ANSWER_SECONDS = 3.0

Question = Callable[[], str | None]
"""Asks one part why it is not ready; None: it is."""


class Registered:
    """Whether the worker has registered; only its log says so (livekit-behaviour 30)."""

    def __init__(self) -> None:
        self._seen = threading.Event()

    def read(self, name: str, line: str) -> None:
        """Look at one line of a child's log."""
        if name == "worker" and "registered worker" in line:
            self._seen.set()

    def ask(self) -> str | None:
        """Return why the worker is not ready."""
        return None if self._seen.is_set() else "has not registered with LiveKit yet"


def answers_ok(url: str) -> Question:
    """Return a question that is settled when the URL answers 200."""

    def ask() -> str | None:
        try:
            with urllib.request.urlopen(url, timeout=_ANSWER_SECONDS):  # noqa: S310 (ours, http)
                return None
        except urllib.error.HTTPError as error:
            return f"{url} answers {error.code} {_reason(error.read(500))}".rstrip()
        except (OSError, http.client.HTTPException):
            return f"{url} does not answer yet"

    return ask


def _reason(unverified_body: bytes) -> str:
    """Return the `msg` of our error JSON, or nothing."""
    try:
        return f"({json.loads(unverified_body)['msg']})"
    except (ValueError, KeyError, TypeError):
        return ""


def watch(questions: Mapping[str, Question], say: Callable[[str], None], ready: str) -> None:
    """Say `ready` once nothing is missing; until then, now and then, what is. Returns at once."""
    threading.Thread(target=_watch, args=(questions, say, ready), daemon=True).start()


def _watch(questions: Mapping[str, Question], say: Callable[[str], None], ready: str) -> None:
    remind_at = time.monotonic() + _REMIND_SECONDS
    missing = dict.fromkeys(questions, "")
    while missing := {name: why for name in missing if (why := questions[name]())}:
        if time.monotonic() > remind_at:
            say("\n".join(f"Still waiting: {name} {why}." for name, why in missing.items()))
            remind_at = time.monotonic() + _REMIND_SECONDS
        time.sleep(_LOOK_SECONDS)
    say(ready)
