"""``authcenter worker`` as a child of the test, beside a service on the same record."""

import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from tests.servers.authcenter import AuthcenterProcess
from tests.servers.child_process import ChildProcess
from tests.servers.ports import free_port
from tests.servers.server import Server


class BackgroundWorker(Server):
    """Does the jobs of a service's outbox; the service itself need not run."""

    def __init__(
        self, directory: Path, service: AuthcenterProcess, *, settings: Mapping[str, str] | None = None
    ) -> None:
        """Args:
        directory: For its state and log; made when absent.
        service: Whose settings it has, but for its ports and state.
        settings: Environment variables on top; they win.
        """
        directory.mkdir(parents=True, exist_ok=True)
        self.ops_port = free_port()
        self.environment = service.environment | {
            "AUTHCENTER_OPS_PORT": str(self.ops_port),
            "AUTHCENTER_STATE_DIR": str(directory / "var"),
            **(settings or {}),
        }
        self.child = ChildProcess(
            name="worker",
            command=[sys.executable, "-m", "authcenter", "worker"],
            log=directory / "worker.log",
            environment=self.environment,
            directory=directory,
        )

    @property
    def url(self) -> str:
        """Of the operators' listener: it has no other."""
        return f"http://127.0.0.1:{self.ops_port}"

    def metrics(self) -> str:
        """The text of ``/metrics``."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=60) as answer:
            return str(answer.read().decode())

    def answers(self) -> bool:
        """Whether it is ready (``/readyz`` says 200)."""
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=10) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False
