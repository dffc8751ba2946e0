"""Sets the clock of a Python process wrong by SECONDS_AHEAD; Python imports it at the start."""

import datetime as dt
import os
import time
from typing import Self

_AHEAD = float(os.environ["SECONDS_AHEAD"])
_right = time.time


class _WrongDatetime(dt.datetime):
    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> Self:
        return super().now(tz) + dt.timedelta(seconds=_AHEAD)


time.time = lambda: _right() + _AHEAD
dt.datetime = _WrongDatetime  # type: ignore[misc]
