"""NGINX as ``deploy/nginx`` configures it: in front of an API, asking authcenter."""

import os
from pathlib import Path

from tests.servers.child_process import ChildProcess
from tests.servers.deployed import adapted
from tests.servers.http_probe import speaks_http
from tests.servers.ports import free_port
from tests.servers.require import require
from tests.servers.server import Server

# One process: workers would outlive a master that was killed with the test.
_MAIN = """\
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
    include {directory}/conf.d/*.conf;
    {more}
}}
"""


class NginxServer(Server):
    """Protects the API at ``api`` by the gateway ``gateway`` of the authcenter at ``authcenter``; both: host:port."""

    def __init__(
        self,
        directory: Path,
        *,
        authcenter: str,
        api: str,
        gateway: str = "shop",
        cached: bool = True,
        more: str = "",
        patience_ms: int = 20_000,
    ) -> None:
        """Args:
        directory: For its configuration, cache and log; made when absent.
        cached: With the cache of answers, as delivered; without: as the comment in the file says.
        more: Further directives of ``http { … }``.
        patience_ms: How long it waits for authcenter; delivered are 2 s, which a busy machine may take.
        """
        self.port = free_port()
        self.cache = directory / "cache"
        user = "user root;" if os.geteuid() == 0 else ""
        main = _MAIN.format(directory=directory, user=user, more=more)
        shared = {"127.0.0.1:8080": authcenter, "/run/nginx-authcenter": str(self.cache)}
        example = {
            "listen 8081": f"listen 127.0.0.1:{self.port}",
            "127.0.0.1:9000": api,
            "gateway shop": f"gateway {gateway}",
        }
        patience = {
            "connect_timeout 1s": f"connect_timeout {patience_ms}ms",
            "read_timeout 2s": f"read_timeout {patience_ms}ms",
        }
        files = {
            "nginx.conf": main,
            "authcenter_validate.conf": adapted("nginx/authcenter_validate.conf", patience),
            "authcenter_protect.conf": adapted("nginx/authcenter_protect.conf", {}),
            "conf.d/authcenter.conf": adapted("nginx/authcenter.conf", shared),
            "conf.d/example.conf": adapted("nginx/example.conf", example),
        }
        (directory / "conf.d").mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (directory / name).write_text(text if cached else _without_cache(text))
        self.child = ChildProcess(
            name="nginx",
            command=[require("nginx", also_in=[Path("/usr/sbin")]), "-p", directory, "-c", directory / "nginx.conf"],
            log=directory / "nginx.log",
            directory=directory,
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answers(self) -> bool:
        return speaks_http(self.port)


def _without_cache(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.strip().startswith("proxy_cache"))
