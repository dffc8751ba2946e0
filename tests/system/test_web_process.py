"""The Procfile's web process as clients, operators and a LiveKit behind TLS meet it."""

import http.client
import itertools
import json
import signal
import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

from tests.processes import free_port, start_from_procfile, wait_until
from tests.system.web_processes import processes, stopped
from tests.system.web_stage import BODY, HEAD, JSON, Web, environ_for, read_answer
from tests.twirp_server import TwirpServer


def test_a_livekit_behind_tls_is_reached(web: Web, livekit: TwirpServer) -> None:
    """LiveKit Cloud is nothing else; gevent patches TLS after the modules were imported."""
    ready = web.http.get("/readyz")

    assert (200, {"status": "ready"}) == (ready.status, ready.json())
    assert "/twirp/livekit.RoomService/ListRooms" in {asked.path for asked in livekit.asked}
    assert "Warning" not in web.process.output()


def test_livekit_is_asked_once_a_second_however_many_ask_whether_we_are_ready(
    web: Web, livekit: TwirpServer
) -> None:
    """Nobody needs a key for that, so it must not cost LiveKit anything."""

    def is_ready(_: int) -> bool:
        return web.http.get("/readyz").status == 200

    def calls() -> int:
        # That of /readyz names a room; the keeper's sweep asks for all.
        return sum(b"readyz" in asked.body for asked in livekit.asked)

    calls_before, started = calls(), time.monotonic()
    with ThreadPoolExecutor(16) as platforms:
        ready = list(platforms.map(is_ready, range(400)))
    seconds = time.monotonic() - started

    assert [True] * 400 == ready
    assert calls() - calls_before <= len(processes(web.process)) * (seconds + 1)


def test_whatever_a_proxy_writes_there_is_an_address_limit(
    livekit: TwirpServer, tmp_path: Path
) -> None:
    """Ports, brackets and names that proxies may write instead of an address."""
    port = free_port()
    limited = {"RATE_LIMIT": "1/hour", "TRUSTED_PROXIES": "1", "WEB_CONCURRENCY": "1"}
    environ = environ_for(livekit, port, tmp_path) | limited
    written = ["1.2.3.4:5", "1.2.3.4:6", "[2001:db8::1]:443", "2001:db8::2", "unknown", "_hidden"]
    with start_from_procfile("web", environ, tmp_path / "web.log") as process:
        web = Web(process, port)
        with web.http:
            wait_until(web.answers, within=20, what="web answers")
            headers = [{"X-Forwarded-For": f"203.0.113.9, {entry}"} for entry in written]
            statuses = [web.http.post("/token", headers=one).status for one in headers]

    assert [201, 429] * 3 == statuses
    assert 1 == process.output().count("Callers whose address cannot be read")


def test_clients_that_dawdle_keep_nobody_waiting(shared_web: Web) -> None:
    """Sixty that never finish their request cost anybody else nothing."""
    with ExitStack() as open_connections:
        for part in (b"", HEAD[:30], HEAD + BODY[:5]) * 20:
            open_connections.enter_context(shared_web.connect()).sendall(part)
        started = time.monotonic()

        posts = [shared_web.http.post("/token", body=BODY, headers=JSON) for _ in range(5)]

        assert [201] * 5 == [post.status for post in posts]
        assert time.monotonic() - started < 5


def asked(web: Web, request: bytes) -> tuple[str, bytes]:
    """Send the bytes of a request; return the content type and the body that it is answered."""
    with web.connect() as connection:
        connection.sendall(request)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.headers["Content-Type"], answer.read()


def test_requests_on_one_connection_are_answered_in_their_order(shared_web: Web) -> None:
    """With an unusual header too, and two at once."""
    unusual = HEAD.replace(b"Host: t", b"Host: t\r\nX_Unusual: yes")
    with shared_web.connect() as connection:
        connection.sendall(HEAD + BODY)
        answers = [read_answer(connection)]
        connection.sendall(unusual + BODY)
        answers.append(read_answer(connection))
        connection.sendall((HEAD + BODY) * 2)
        answers += [read_answer(connection), read_answer(connection)]

    assert [201] * 4 == [status for status, _ in answers]
    same = [{**headers, "Date": "", "Content-Length": ""} for _, headers in answers]
    assert all(headers == same[0] for headers in same)


def over_unix(path: Path) -> socket.socket:
    """Connect to a socket in a folder."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(10)
    connection.connect(str(path))
    return connection


def over_tls(port: int) -> socket.socket:
    """Connect with TLS, whoever answers."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=10))


def test_gunicorn_keeps_what_an_operator_asks_of_it(livekit: TwirpServer, tmp_path: Path) -> None:
    """A unix socket for a proxy on the same machine, say, or TLS."""
    port, path, certificate = free_port(), tmp_path / "web.sock", tmp_path / "certificate.pem"
    pair = f"--certfile {certificate} --keyfile {certificate}"
    ways = {f"--bind unix:{path}": partial(over_unix, path), pair: partial(over_tls, port)}
    for arguments, connect in ways.items():
        own = {"GUNICORN_CMD_ARGS": arguments, "WEB_CONCURRENCY": "1"}
        environ = environ_for(livekit, port, tmp_path) | own
        with start_from_procfile("web", environ, tmp_path / "web.log") as process:
            process.wait_for_output("Booting worker")
            with connect() as connection:
                statuses = []
                for _ in range(2):
                    connection.sendall(HEAD + BODY)
                    statuses.append(read_answer(connection)[0])

        assert [201, 201] == statuses


def test_gunicorns_limits_and_its_keepalive_are_an_operators(
    livekit: TwirpServer, tmp_path: Path
) -> None:
    """What GUNICORN_CMD_ARGS says holds for every request."""
    port = free_port()
    asked_of_it = {"GUNICORN_CMD_ARGS": "--keep-alive 0 --limit-request-fields 9"}
    environ = environ_for(livekit, port, tmp_path) | asked_of_it
    with start_from_procfile("web", environ, tmp_path / "web.log") as process:
        web = Web(process, port)
        with web.http:
            wait_until(web.answers, within=20, what="web answers")
            closing = web.http.post("/token", body=BODY, headers=JSON)
            refused = web.http.get("/healthz", headers={f"x-{number}": "" for number in range(9)})

    assert (201, "close", 431) == (
        closing.status,
        closing.headers["Connection"],
        refused.status,
    )


def test_processes_that_would_share_connections_are_refused(
    livekit: TwirpServer, tmp_path: Path
) -> None:
    """In a sentence, and not by what goes wrong later."""
    environ = environ_for(livekit, free_port(), tmp_path) | {"GUNICORN_CMD_ARGS": "--preload"}
    with start_from_procfile("web", environ, tmp_path / "web.log") as process:
        process.popen.wait(30)

    assert "--preload must be left out" in process.output()
    assert "Traceback" not in process.output()


UNREADABLE = {
    b"GET /token?room_name=" + b"x" * 8200: "414 ",
    b"GET / HTTP/1.1\r\nHost: a\r\n b": "400 Bad Request",
    b"GET / HTTP/1.1\r\nMaRkEr": "400 Bad Request",
    b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 101: "431 ",
    HEAD.strip().replace(b"POST /", b"POST  /"): "400 Bad Request",
    HEAD.strip() + b"".join(b"\r\nX%d: y" % number for number in range(120)): "431 ",
    b"MaRkEr": "400 Bad Request",
}


def test_what_gunicorn_refuses_is_answered_as_all_errors_are(shared_web: Web) -> None:
    """A client reads one kind of error; gunicorn's own page quotes the request."""
    for request, msg in UNREADABLE.items():
        kind, body = asked(shared_web, request + b"\r\n\r\n")

        error = json.loads(body)
        assert ("application/json", "invalid_argument") == (kind, error["code"])
        assert error["msg"].startswith(msg)
        # A line that was to be a header may hold a key.
        assert "MaRkEr" not in error["msg"] + shared_web.process.output()


def test_the_longest_query_fits(shared_web: Web) -> None:
    """Each byte may take three; what the document allows is not refused by the server before."""
    longest = dict.fromkeys(("room_name", "participant_identity", "participant_name"), "é" * 128)
    longest["participant_metadata"] = "é" * 512

    assert 200 == shared_web.http.get("/token", params=longest).status


def test_a_request_in_hand_is_answered_before_the_process_stops(web: Web) -> None:
    """A deploy loses no join; the next request goes to the process that took over."""
    with web.connect() as half_sent:
        half_sent.sendall(HEAD + BODY[:5])
        web.process.popen.send_signal(signal.SIGTERM)
        web.process.wait_for_output("Handling signal: term")

        half_sent.sendall(BODY[5:])

        assert half_sent.recv(65536).startswith(b"HTTP/1.1 201 CREATED\r\n")


def test_a_request_that_nobody_has_read_yet_is_answered_before_the_process_stops(web: Web) -> None:
    """A busy machine may hold processes up for longer than they wait for what is on its way."""
    with web.connect() as connection:
        connection.sendall(HEAD + BODY)
        first, _ = read_answer(connection)
        with ExitStack() as held_up:
            for process in processes(web.process):
                held_up.enter_context(stopped(process))
            web.process.popen.send_signal(signal.SIGTERM)
            connection.sendall(HEAD + BODY)
            # Time has to pass, which is what this is about. Who wakes first then, gunicorn with its
            # SIGTERM or the process with the request, nobody knows.
            time.sleep(1.2)

        status, _ = read_answer(connection)

    assert (201, 201) == (first, status)


def test_a_process_that_stops_is_not_taken_for_ready(web: Web) -> None:
    """A balancer's next check fails; what is in hand is answered all the same."""
    with web.connect() as half_sent:
        half_sent.sendall(HEAD + BODY[:5])
        web.process.popen.send_signal(signal.SIGTERM)

        wait_until(lambda: not web.answers(), within=5, what="no answer to a health check")
        is_running = web.process.popen.poll() is None
        half_sent.sendall(BODY[5:])

        assert (True, b"201") == (is_running, half_sent.recv(65536)[9:12])


def test_idle_connections_do_not_hold_up_a_stop(web: Web) -> None:
    """LiveKit's webhooks keep one open; gunicorn would wait for its keepalive to end."""
    assert web.answers()  # and the connection stays open
    started = time.monotonic()
    web.process.popen.send_signal(signal.SIGTERM)

    wait_until(lambda: web.process.popen.poll() is not None, within=10, what="web has stopped")

    assert time.monotonic() - started < 8


def ask_until_told_to_go(web: Web) -> int:
    """Ask again and again on one connection, until an answer says that it is the last there."""
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=10)
    with closing(connection):
        for number in itertools.count(1):
            connection.request("POST", "/token", BODY, JSON)
            answer = connection.getresponse()
            assert (201, True) == (answer.status, bool(answer.read()))
            if answer.will_close:
                return number
    raise AssertionError


def test_a_stop_under_load_loses_no_request(web: Web) -> None:
    """Each deploy is one."""
    with ThreadPoolExecutor(8) as callers:
        asking = [callers.submit(ask_until_told_to_go, web) for _ in range(8)]
        wait_until(lambda: web.process.output().count("Room ready") > 40, within=20, what="load")
        web.process.popen.send_signal(signal.SIGTERM)

        assert 40 < sum(asked.result(timeout=20) for asked in asking)
