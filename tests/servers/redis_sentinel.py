"""A Redis behind a Sentinel of the test's own."""

import socket
from pathlib import Path
from typing import Self

from tests.servers.child_process import ChildProcess
from tests.servers.ports import free_port
from tests.servers.redis import RedisServer, redis_program
from tests.servers.server import Server

_SERVICE = "main"


class RedisBehindSentinel(Server):
    """One Sentinel on 127.0.0.1 and the master that it tells of. What is done to this server is done to the master."""

    def __init__(self, directory: Path) -> None:
        """Args:
        directory: For data, configuration and logs; made when absent.
        """
        self.master = RedisServer(directory / "master")
        self.child = self.master.child
        self._port = free_port()
        self._configuration = directory / "sentinel.conf"
        self._sentinel = ChildProcess(
            name="redis-sentinel",
            command=[redis_program(), self._configuration, "--sentinel"],
            log=directory / "sentinel.log",
            directory=directory,
        )

    @property
    def url(self) -> str:
        return f"redis+sentinel://127.0.0.1:{self._port}/{_SERVICE}"

    def answers(self) -> bool:
        return self.master.answers()

    def start(self) -> Self:
        self.master.start()
        if not self._sentinel.running:
            # Sentinel writes its state into its own configuration.
            self._configuration.write_text(
                f"bind 127.0.0.1\nport {self._port}\nsentinel monitor {_SERVICE} 127.0.0.1 {self.master.port} 1\n"
            )
            self._sentinel.start(self._sentinel_answers)
        return self

    def stop(self) -> int:
        self._sentinel.stop()
        return self.master.stop()

    def _sentinel_answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(7) == b"+PONG\r\n"
        except OSError:
            return False
