"""nginx before the web process: two ports, and kept connections to it that both share."""

import os
import shutil
from pathlib import Path

from tests.processes import Process, free_port, wait_until

_CONFIG = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log warn;
{user}
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 100000;
    upstream web {{
        server 127.0.0.1:{web} max_fails=0;
        keepalive 16;
        keepalive_requests 100000;
    }}
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $http_host;
    proxy_next_upstream off;
    server {{
        listen 127.0.0.1:{usual};
        location / {{ proxy_pass http://web; }}
    }}
    # This one hands on bodies as they come, and headers that it would drop.
    server {{
        listen 127.0.0.1:{lenient};
        proxy_request_buffering off;
        ignore_invalid_headers off;
        underscores_in_headers on;
        merge_slashes off;
        location / {{ proxy_pass http://web; }}
    }}
}}
"""


class Nginx:
    """A running nginx."""

    def __init__(self, folder: Path, web: int) -> None:
        """Start it before the web process that listens on a port.

        Raises:
            RuntimeError: There is none.
        """
        program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
        if program is None:
            raise RuntimeError("the mutations need nginx: apt-get install nginx-light")
        self.usual, self.lenient = free_port(), free_port()
        self.errors = folder / "nginx-error.log"
        config = folder / "nginx.conf"
        user = "user root;" if os.geteuid() == 0 else ""
        ports = {"web": web, "usual": self.usual, "lenient": self.lenient}
        config.write_text(_CONFIG.format(folder=folder, user=user, **ports))
        command = [program, "-p", str(folder), "-e", str(self.errors), "-c", str(config)]
        self.process = Process(command, os.environ, folder / "nginx.log")
        # nginx listens before it says that its pid is known.
        wait_until((folder / "nginx.pid").is_file, within=10, what="nginx has started")
