"""docs/operating.md's nginx, before something that notes what comes through."""

import os
import shutil
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import urllib3

from tests.certificates import write_certificate
from tests.loopback import Loopback
from tests.processes import Process, free_port, wait_until
from tests.snippets import snippet
from token_server.http_api.token_endpoint import TOKEN_BODY_LIMIT
from token_server.livekit.webhooks import WEBHOOK_BODY_LIMIT

PAGE = "docs/operating.md"
BLOCK = snippet(PAGE, "proxy_add_x_forwarded_for")
RUNS = [BLOCK]
PROGRAM = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
# What a distribution's nginx.conf has around the files of conf.d, in a folder of the test's own.
_AROUND = """
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log warn;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {server}
}}
"""


class Noting(BaseHTTPRequestHandler):
    """A server that takes everything, and says what it was told of the way."""

    def do_POST(self) -> None:
        """Answer with the client's addresses and the length of the body."""
        length = len(self.rfile.read(int(self.headers["Content-Length"])))
        body = f"{self.headers['X-Forwarded-For']} {self.headers['Host']} {length}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


def test_bodies_as_long_as_the_server_takes_come_through_with_the_clients_address(
    tmp_path: Path,
) -> None:
    """Nginx's own limit refuses a webhook of a large room, and 127.0.0.1 would be everybody."""
    certificate, port = write_certificate(tmp_path / "pem"), free_port()
    with Loopback(Noting) as server:
        text = BLOCK.text.replace("listen 443", f"listen 127.0.0.1:{port}")
        text = text.replace("127.0.0.1:8080", f"127.0.0.1:{server.port}")
        for name in ("fullchain", "privkey"):
            text = text.replace(
                f"/etc/letsencrypt/live/tokens.example.com/{name}.pem", str(certificate)
            )
        config = tmp_path / "nginx.conf"
        # Root's nginx would write as nobody, who may not write here.
        user = "" if os.getuid() else "user root;"
        config.write_text(_AROUND.format(folder=tmp_path, user=user, server=text))
        command = [str(PROGRAM), "-p", str(tmp_path), "-c", str(config), "-e", "stderr"]
        with Process(command, os.environ, tmp_path / "nginx.log"):
            lengths = (TOKEN_BODY_LIMIT, WEBHOOK_BODY_LIMIT)
            answers = _post(f"https://127.0.0.1:{port}", certificate, *lengths)

    assert [f"192.0.2.7, 127.0.0.1 127.0.0.1:{port} {length}" for length in lengths] == answers


def _post(url: str, certificate: Path, *lengths: int) -> list[str]:
    with urllib3.PoolManager(ca_certs=str(certificate), timeout=20, retries=False) as pool:

        def post(length: int) -> str:
            try:
                forged = {"X-Forwarded-For": "192.0.2.7"}
                return pool.request("POST", url, body=bytes(length), headers=forged).data.decode()
            except urllib3.exceptions.NewConnectionError:
                return ""

        wait_until(lambda: post(1), within=10, what="nginx answers")
        return [post(length) for length in lengths]
