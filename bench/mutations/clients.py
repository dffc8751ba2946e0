"""Clients that send mutants over kept connections, and canaries that tell whose answers come."""

import random
import selectors
import socket
import string
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from bench.mutations.answers import Answer, Answers
from bench.mutations.framing import End, framing
from bench.mutations.good_requests import CALLER_KEY
from bench.mutations.mutants import mutant
from bench.mutations.tally import Fault, Tally, names_in

SEED = 1
# Seconds: for the answer to what is whole; to what is not; and for the end, when nothing follows.
_PATIENCE = 10.0
_PATIENCE_WITH_THE_REST = 0.25
_PATIENCE_AT_THE_END = 15.0
_BUFFER = 65536
_KEY = CALLER_KEY.encode()
_CANARIES = 0.5  # of the mutants that are whole requests, this part is followed by one
_TOKENS = 0.1  # of all canaries, this part asks for a token; others are refused by their name


@dataclass
class _Asked:
    """A request whose answer is still to come; the canary's name, if it is one."""

    method: bytes
    canary: bytes = b""


class Client:
    """One connection at a time, and one mutant or canary on its way."""

    def __init__(
        self, index: int, port: int, selector: selectors.BaseSelector, names: set[bytes]
    ) -> None:
        """Open nothing yet; `names` are those of all clients."""
        self._rng = random.Random(index)  # noqa: S311 (repeatable is the point)
        self._port, self._selector, self._names = port, selector, names
        self._tag = self._name("mutant")
        self._socket: socket.socket | None = None
        self._numbers: Iterator[int] = iter(())
        self._answers, self._is_last, self._has_ended = Answers(), False, False
        self.tally, self.is_done = Tally(), True

    def begin(self, numbers: Sequence[int]) -> None:
        """Send the mutants of these numbers."""
        self._numbers, self.is_done = iter(numbers), False
        self._send_mutant()

    def close(self) -> None:
        """Close the connection."""
        if self._socket:
            self._selector.unregister(self._socket)
            self._socket.close()
        self._socket = None

    def receive(self) -> None:
        """Take what has come."""
        assert self._socket  # noqa: S101
        received = b""
        with suppress(OSError):
            received = self._socket.recv(_BUFFER)
        self._answers.left += received
        while self._asked and not self._is_last:
            answer = self._answers.take(self._asked[0].method, is_end=not received)
            if answer is None:
                break
            self._is_last = answer.is_last
            self._judge(answer, self._asked.pop(0))
        if not received:
            self._end()
        elif not self._asked and not self._is_last:
            self._go_on()

    def look(self) -> None:
        """End a wait that lasts too long: there may be nothing to be answered."""
        if self.is_done or time.monotonic() < self._deadline:
            return
        if self._has_ended:
            self._fault(Fault.STUCK)
            self.close()
            self._send_mutant()
        else:
            if self._asked and not self._is_last and self._rest is End.NOTHING:
                self._fault(Fault.UNANSWERED)
            self._say_end()

    def _send_mutant(self) -> None:
        number = next(self._numbers, None)
        if number is None:
            self.is_done = True
            return
        self._is_after_canary = False
        self._number, self._sent = number, mutant(SEED, number, self._tag)
        self.tally.sent += 1
        self._open()
        found = framing(self._sent)
        self._rest, is_whole = found.end, found.end is End.NOTHING
        guess = [] if is_whole and found.methods else [self._sent.lstrip()[:5].partition(b" ")[0]]
        self._send(self._sent, [_Asked(method) for method in (*found.methods, *guess)])
        if self._rest is End.CUT_OFF or (is_whole and not found.methods):
            self._say_end()

    def _send_canary(self) -> None:
        name, self.tally.canaries = self._name("canary").encode(), self.tally.canaries + 1
        is_token = self._rng.random() < _TOKENS
        query = b"room_name=" + name if is_token else name + b"=a&" + name + b"=b"
        head = b"GET /token?" + query + b" HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer " + _KEY
        self._is_after_canary = True
        self._send(head + b"\r\n\r\n", [_Asked(b"GET", name)])

    def _open(self) -> None:
        if self._socket:
            return
        self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=10)
        self._socket.settimeout(None)  # with one, a look whether something has come would wait
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(self._socket, selectors.EVENT_READ, self)
        self._answers, self._is_last, self._has_ended = Answers(), False, False

    def _send(self, request: bytes, asked: list[_Asked]) -> None:
        assert self._socket  # noqa: S101
        patience = _PATIENCE if self._rest is End.NOTHING else _PATIENCE_WITH_THE_REST
        self._asked, self._deadline = asked, time.monotonic() + patience
        with suppress(OSError):  # nothing has come
            if self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT):
                self._is_unasked()
        try:
            self._socket.sendall(request)
        except OSError:  # refused before it was sent; what was said is still to be read
            self._say_end()

    def _say_end(self) -> None:
        assert self._socket  # noqa: S101
        self._has_ended, self._deadline = True, time.monotonic() + _PATIENCE_AT_THE_END
        with suppress(OSError):  # it has ended, as `receive` will find
            self._socket.shutdown(socket.SHUT_WR)

    def _judge(self, answer: Answer, asked: _Asked) -> None:
        own = {asked.canary or self._tag.encode()}
        if self._rest is End.WRONG:  # which of them is answered first is then the reader's view
            own.add(self._tag.encode())
        for fault in self.tally.answer(answer, self._names, own):
            self._fault(fault, answer)
        if asked.canary and asked.canary not in names_in(answer.body):
            if self._rest is End.NOTHING:
                self._fault(Fault.NOT_OWN, answer)
            self._say_end()

    def _go_on(self) -> None:
        """Every answer is here, and the connection is kept: what has come besides is nobody's."""
        if self._answers.left:
            self._is_unasked()
            self.close()
        elif self._has_ended:
            return
        is_due = self._rest is not End.NOTHING or self._rng.random() < _CANARIES
        if self._socket and is_due and not self._is_after_canary:
            self._send_canary()
        else:
            self._send_mutant()

    def _end(self) -> None:
        """The server has closed the connection."""
        if self._answers.left and (self._is_last or not self._asked):
            self._is_unasked()
        if self._asked and not self._is_last and not self._has_ended and self._rest is End.NOTHING:
            self._fault(Fault.UNANSWERED)
        self.close()
        self._send_mutant()

    def _is_unasked(self) -> None:
        if self._rest is not End.WRONG:
            self._fault(Fault.UNASKED)

    def _fault(self, fault: Fault, answer: Answer | None = None) -> None:
        self.tally.fault(fault, self._about(answer))

    def _about(self, answer: Answer | None) -> str:
        names = f"{names_in(answer.body)} not {self._tag}" if answer else ""
        got = (
            f"{names} {answer.status} {answer.body[:300]!r}"
            if answer
            else f"{self._answers.left[:300]!r}"
        )
        about = f"port {self._port}, number {self._number}, {self._rest.name}"
        return f"{about}: {self._sent[:1500]!r} got {got} after canary {self._is_after_canary}"

    def _name(self, kind: str) -> str:
        name = f"{kind}-{''.join(self._rng.choices(string.ascii_lowercase, k=10))}"
        self._names.add(name.encode())
        return name
