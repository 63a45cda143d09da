"""A Prometheus of the test's own, from PATH or from Debian's package."""

import json
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.servers.child_process import ChildProcess
from tests.servers.debian_package import PROMETHEUS
from tests.servers.http_probe import speaks_http
from tests.servers.ports import free_port
from tests.servers.require import require
from tests.servers.server import Server

_HANG_SECONDS = 60


class PrometheusServer(Server):
    """Scrapes ``targets`` (host:port) every two seconds, under the job ``authcenter``, and works out ``rules``."""

    def __init__(self, directory: Path, targets: Sequence[str], rules: Sequence[Path] = ()) -> None:
        """``directory``: for its configuration, data and log; made when absent."""
        directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        configuration = directory / "prometheus.yml"
        document = {
            "global": {"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "2s"},
            "rule_files": [str(path) for path in rules],
            "scrape_configs": [{"job_name": "authcenter", "static_configs": [{"targets": list(targets)}]}],
        }
        # JSON is YAML.
        configuration.write_text(json.dumps(document))
        self.child = ChildProcess(
            name="prometheus",
            command=[
                require("prometheus", also_in=[PROMETHEUS.programs]),
                f"--config.file={configuration}",
                f"--storage.tsdb.path={directory / 'data'}",
                f"--web.listen-address=127.0.0.1:{self.port}",
                "--enable-feature=exemplar-storage",
            ],
            log=directory / "prometheus.log",
            directory=directory,
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answers(self) -> bool:
        return speaks_http(self.port) and self._status("/-/ready") == 200

    def query(self, expression: str) -> list[dict[str, Any]]:
        """What an instant query finds now. Raises ``ValueError``: Prometheus refuses it, and says why."""
        found: list[dict[str, Any]] = self.ask("query", query=expression)["result"]
        return found

    def ask(self, what: str, **parameters: str) -> Any:
        """The data of an answer of its API. Raises ``ValueError``: it refuses, and says why."""
        address = f"{self.url}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(address, timeout=_HANG_SECONDS) as answer:
                return json.loads(answer.read())["data"]
        except urllib.error.HTTPError as refused:
            raise ValueError(refused.read().decode()) from refused

    def _status(self, path: str) -> int:
        try:
            with urllib.request.urlopen(f"{self.url}{path}", timeout=_HANG_SECONDS) as answer:
                return int(answer.status)
        except OSError:
            return 0


def promtool(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run ``promtool ARGUMENTS`` to its end, whatever its exit code."""
    program = require("promtool", also_in=[PROMETHEUS.programs])
    return subprocess.run(
        [program, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=_HANG_SECONDS,
        stdin=subprocess.DEVNULL,
    )
