"""Lets the loops that look at rooms die or hang, as the file FAULT says; Python imports it first.

What is broken is broken after the module that has it was loaded, by whoever wants it: nothing of
the token server is imported here, since gunicorn's worker has to come first.
"""

import importlib.util
import os
import sys
import time
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

_fault = Path(os.environ["FAULT"])


def _break_agenda(module: ModuleType) -> None:
    begin = module.Agenda.__init__

    def begin_broken(agenda: Any, *arguments: Any) -> None:  # noqa: ANN401  # an Agenda and its own
        begin(agenda, *arguments)
        agenda.take = _broken(agenda.take)

    module.Agenda.__init__ = begin_broken


def _broken(take: Callable[..., Any]) -> Callable[..., Any]:
    def broken(*arguments: Any) -> Any:  # noqa: ANN401  # those of Agenda.take
        if _fault.exists() and _fault.read_text() == "die":
            raise SystemExit(1)
        while _fault.exists() and _fault.read_text() == "hang":
            time.sleep(0.1)
        return take(*arguments)

    return broken


def _hurry(module: ModuleType) -> None:
    vars(module)["STUCK_AFTER"] = float(os.environ["STUCK_AFTER"])


_changes: dict[str, Callable[[ModuleType], None]] = {
    "token_server.keeper.look_queue": _break_agenda,
    "token_server.telemetry.turns": _hurry,
}


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        if not (change := _changes.pop(fullname, None)):
            return None
        spec = importlib.util.find_spec(fullname)
        assert spec
        assert spec.loader
        load = spec.loader.exec_module

        def load_and_change(module: ModuleType) -> None:
            load(module)
            change(module)

        spec.loader.exec_module = load_and_change  # type: ignore[method-assign]
        return spec


sys.meta_path.insert(0, _Finder())
