"""One child as honcho starts it, whose end is noticed even where its own children live on."""

import contextlib
import os
import signal
import threading
import time
from typing import Any

from honcho.process import Popen

_GRACE_SECONDS = 1.0


def open_child(command: str, **options: Any) -> Any:  # noqa: ANN401 (honcho has no types)
    """Start a child as honcho does, and end what is left of its group when it has ended.

    honcho takes a child for running as long as anybody holds its output open: a worker that was
    killed would go unnoticed while one of its job processes lives.
    """
    child = Popen(command, **options)
    threading.Thread(target=_end_group, args=(child,), daemon=True).start()
    return child


def _end_group(child: Any) -> None:  # noqa: ANN401 (honcho has no types)
    child.wait()
    time.sleep(_GRACE_SECONDS)
    with contextlib.suppress(OSError):
        os.killpg(child.pid, signal.SIGKILL)
