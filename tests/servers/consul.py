"""A Consul server of the test's own, from PATH or from Debian's archive."""

import json
import shutil
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.servers.child_process import ChildProcess
from tests.servers.debian_package import CONSUL
from tests.servers.ports import free_port
from tests.servers.require import require
from tests.servers.server import Server


class ConsulServer(Server):
    """A cluster of one on 127.0.0.1 that keeps its data over a restart; ready when it has elected itself."""

    def __init__(self, directory: Path, *, acl_token: str = "") -> None:
        """Args:
        directory: For its configuration, data and log; made when absent.
        acl_token: Not empty: everything is denied but to this (UUID) token, the management token.
        """
        program = require("consul", also_in=[CONSUL.programs])
        self.port = free_port()
        self._acl_token = acl_token
        self._data = directory / "data"
        self._configuration = directory / "consul.json"
        self.child = ChildProcess(
            name="consul",
            command=[program, "agent", f"-config-file={self._configuration}"],
            log=directory / "consul.log",
        )

    def _document(self) -> dict[str, Any]:
        document: dict[str, Any] = {
            "server": True,
            "bootstrap_expect": 1,
            "bind_addr": "127.0.0.1",
            "client_addr": "127.0.0.1",
            "data_dir": str(self._data),
            "node_name": "test",
            "disable_update_check": True,
            "leave_on_terminate": False,
            "performance": {"raft_multiplier": 1},
            "ports": {"http": self.port, "server": free_port(), "serf_lan": free_port(), "serf_wan": -1, "dns": -1},
        }
        if self._acl_token:
            document["acl"] = {"enabled": True, "default_policy": "deny", "tokens": {"master": self._acl_token}}
        return document

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "ConsulServer":
        if not self._configuration.exists():
            self._data.mkdir(parents=True, exist_ok=True)
            self._configuration.write_text(json.dumps(self._document()))
        return super().start()

    def restart_empty(self) -> "ConsulServer":
        """Kill it and start it on the same port without its data."""
        self.kill()
        shutil.rmtree(self._data)
        self._data.mkdir()
        return self.start()

    def answers(self) -> bool:
        """Whether keys can be read, which needs an elected leader."""
        request = urllib.request.Request(f"{self.url}/v1/kv/?keys", headers={"X-Consul-Token": self._acl_token})
        try:
            with urllib.request.urlopen(request, timeout=1) as answer:
                return bool(answer.status == 200)
        except urllib.error.HTTPError as refusal:
            return refusal.code == 404  # no keys yet
        except OSError:
            return False
