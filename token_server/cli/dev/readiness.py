"""When the stack may be called ready: each part says so itself."""

import threading
import time
from collections.abc import Callable, Mapping

from token_server.cli.asking import ask

_LOOK_SECONDS = 0.2
_REMIND_SECONDS = 15.0

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

    def question() -> str | None:
        answer = ask("GET", url)
        if answer.silence:
            return f"{url} does not answer yet"
        if answer.is_ok:
            return None
        reason = f" ({answer.content['msg']})" if "msg" in answer.content else ""
        return f"{url} answers {answer.status}{reason}"

    return question


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
