"""NGINX as the proxy in front of authcenter: TLS ends here, and who asked is passed on (README, "Behind a proxy")."""

import os
from pathlib import Path

from tests.servers.certificates import Pair
from tests.servers.child_process import ChildProcess
from tests.servers.http_probe import speaks_http
from tests.servers.require import require
from tests.servers.server import Server

# One process: workers would outlive a master that was killed with the test.
_CONFIGURATION = """\
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log stderr warn;
{user}
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    upstream authcenter {{
        server {upstream};
        keepalive 32;
    }}
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        ssl_protocols TLSv1.2 TLSv1.3;
        location / {{
            proxy_pass http://authcenter;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
        }}
    }}
}}
"""


class TlsProxy(Server):
    """Serves https on ``port`` and asks ``upstream`` (host:port) in the clear."""

    def __init__(self, directory: Path, *, port: int, upstream: str, pair: Pair) -> None:
        """``directory`` is for its configuration and log; made when absent."""
        self.port = port
        directory.mkdir(parents=True, exist_ok=True)
        text = _CONFIGURATION.format(
            directory=directory,
            user="user root;" if os.geteuid() == 0 else "",
            upstream=upstream,
            port=port,
            certificate=pair.certificate,
            key=pair.key,
        )
        (directory / "nginx.conf").write_text(text)
        self.child = ChildProcess(
            name="nginx",
            command=[require("nginx", also_in=[Path("/usr/sbin")]), "-p", directory, "-c", directory / "nginx.conf"],
            log=directory / "nginx.log",
            directory=directory,
        )

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def answers(self) -> bool:
        return speaks_http(self.port)
