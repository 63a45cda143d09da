"""A PostgreSQL server of the test's own, with as many fresh databases as it asks for."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType

from tests.servers.child_process import ChildProcess, as_account
from tests.servers.ports import free_port
from tests.servers.require import require
from tests.servers.server import Server

_SUPERUSER = "postgres"
_CLUSTER = ("--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C")


class PostgresServer(Server):
    """A cluster in a temporary directory, trusting everyone on its port of 127.0.0.1; removed at the context's end."""

    def __init__(self, *, durable: bool = False, max_connections: int = 200) -> None:
        """Args:
        durable: Commits reach the disk before they are acknowledged, for tests that kill the server.
        max_connections: Of all tests that share it.
        """
        directories = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
        directories.append(Path("/usr/local/bin"))
        # The link on PATH may be a distribution's, whose siblings are not on PATH.
        self._programs = require("postgres", also_in=directories).resolve().parent
        # initdb refuses to run as root. Not pytest's tmp_path: no other account may enter that.
        self._user = _unprivileged_user() if os.geteuid() == 0 else None
        self._root = Path(tempfile.mkdtemp(prefix="authcenter-postgres-"))
        if self._user:
            shutil.chown(self._root, self._user)
        self.port = free_port()
        self._data = self._root / "data"
        self.child = ChildProcess(
            name="postgres",
            command=[self._programs / "postgres", "-D", self._data, *self._options(durable, max_connections)],
            log=self._root / "postgres.log",
            directory=self._root,
            user=self._user,
            stop_signal=signal.SIGINT,  # ends open sessions instead of waiting for them
        )

    def _options(self, durable: bool, max_connections: int) -> list[str]:
        commits = "on" if durable else "off"
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": max_connections,
            "shared_buffers": "32MB",
            "fsync": commits,
            "synchronous_commit": commits,
            "full_page_writes": commits,
            # Segments lie in the data directory and go with it, also when the server was killed.
            "dynamic_shared_memory_type": "mmap",
        }
        return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]

    @property
    def url(self) -> str:
        """Of the maintenance database; tests take one of their own from ``create_database``."""
        return self._url("postgres")

    def create_database(self, *, template: str = "template0") -> str:
        """Make a fresh database and return its SQLAlchemy URL.

        Args:
            template: Database to copy, for example one that a migration prepared; nobody may be connected to it.
        """
        name = f"test_{secrets.token_hex(6)}"
        self._psql(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self._url(name)

    def answers(self) -> bool:
        return subprocess.run(self._client("pg_isready", "-q", "-t", "1"), check=False).returncode == 0

    def start(self) -> "PostgresServer":
        if not self._data.exists():
            self._initialise()
        return super().start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.stop()  # in order: only so does it give back its shared memory
        finally:
            shutil.rmtree(self._root)

    def _initialise(self) -> None:
        subprocess.run(
            [self._programs / "initdb", "-D", self._data, "-U", _SUPERUSER, *_CLUSTER],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self._root,
            **as_account(self._user),
        )

    def _psql(self, statement: str) -> None:
        command = self._client("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-U", _SUPERUSER, "-d", "postgres")
        subprocess.run([*command, "-c", statement], check=True)

    def _client(self, program: str, *options: str) -> list[str | Path]:
        return [self._programs / program, "-h", "127.0.0.1", "-p", str(self.port), *options]

    def _url(self, database: str) -> str:
        return f"postgresql+asyncpg://{_SUPERUSER}@127.0.0.1:{self.port}/{database}"


def _version(directory: Path) -> float:
    return float(directory.parent.name)


def _unprivileged_user() -> str:
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"
