"""HAProxy as ``deploy/haproxy`` configures it: in front of an API, asking authcenter from Lua."""

from collections.abc import Mapping
from pathlib import Path

from tests.servers.child_process import ChildProcess
from tests.servers.deployed import adapted
from tests.servers.http_probe import speaks_http
from tests.servers.ports import free_port
from tests.servers.require import require
from tests.servers.server import Server


class HaproxyServer(Server):
    """Protects the API at ``api`` by the gateway ``gateway`` of the authcenter at ``authcenter``; both: host:port."""

    def __init__(
        self,
        directory: Path,
        *,
        authcenter: str,
        api: str,
        gateway: str = "shop",
        script_changes: Mapping[str, str] | None = None,
        patience_ms: int = 20_000,
    ) -> None:
        """Args:
        directory: For its configuration and log; made when absent.
        script_changes: What differs from the delivered script.
        patience_ms: How long it waits for authcenter; delivered are 2 s, which a busy machine may take.
        """
        directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        patience = {"TIMEOUT_MS = 2000": f"TIMEOUT_MS = {patience_ms}"}
        script, configuration = directory / "authcenter.lua", directory / "haproxy.cfg"
        script.write_text(adapted("haproxy/authcenter.lua", patience | dict(script_changes or {})))
        changes = {
            "/etc/haproxy/authcenter.lua": str(script),
            "http://127.0.0.1:8080/oauth/validate/shop": f"http://{authcenter}/oauth/validate/{gateway}",
            "bind :8081": f"bind 127.0.0.1:{self.port}",
            "127.0.0.1:9000": api,
        }
        configuration.write_text(adapted("haproxy/haproxy.cfg", changes))
        self.child = ChildProcess(
            name="haproxy",
            command=[require("haproxy", also_in=[Path("/usr/sbin")]), "-db", "-f", configuration],
            log=directory / "haproxy.log",
            directory=directory,
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answers(self) -> bool:
        return speaks_http(self.port)
