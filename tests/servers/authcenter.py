"""The product itself as a child of the test, run and administered as a user would: by command and environment."""

import json
import os
import secrets
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.servers.child_process import ChildProcess
from tests.servers.log_search import THIS_RUN
from tests.servers.ports import free_port
from tests.servers.server import Server

_PROJECT = Path(__file__).parents[2]
_CLI_HANG_SECONDS = 240


class AuthcenterProcess(Server):
    """``authcenter serve`` with ports, state directory and, unless a URL is given, a database of its own.

    Attributes:
        module: What is run.
    """

    module = "authcenter"

    def __init__(
        self,
        directory: Path,
        *,
        database_url: str | None = None,
        settings: Mapping[str, str] | None = None,
        arguments: tuple[str, ...] = (),
    ) -> None:
        """Args:
        directory: For its state, policy file and log; made when absent.
        database_url: None: an SQLite file in ``directory``.
        settings: Environment variables on top; they win.
        arguments: Further words after ``serve``.
        """
        directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.ops_port = free_port()
        self.environment = _clean_environment() | {
            "AUTHCENTER_ENV": "development",
            "AUTHCENTER_ISSUER": self.url,
            "AUTHCENTER_HOST": "127.0.0.1",
            "AUTHCENTER_PORT": str(self.port),
            "AUTHCENTER_OPS_HOST": "127.0.0.1",
            "AUTHCENTER_OPS_PORT": str(self.ops_port),
            "AUTHCENTER_DATABASE_URL": database_url or f"sqlite+aiosqlite:///{directory / 'authcenter.db'}",
            "AUTHCENTER_POLICY_FILE": str(directory / "policy.yaml"),
            "AUTHCENTER_STATE_DIR": str(directory / "var"),
            "AUTHCENTER_SECRET_KEY": secrets.token_urlsafe(32),
            "AUTHCENTER_KEY_PASSPHRASE": secrets.token_urlsafe(32),
            **(settings or {}),
        }
        self.policy_file = Path(self.environment["AUTHCENTER_POLICY_FILE"])
        self.policy_file.touch()
        self.child = ChildProcess(
            name="authcenter",
            command=[sys.executable, "-m", self.module, "serve", *arguments],
            log=directory / "authcenter.log",
            environment=self.environment,
            directory=directory,
        )

    def sibling(self, directory: Path) -> "AuthcenterProcess":
        """A further process of the same deployment: same issuer, database and secrets; own ports and state."""
        names = ("ENV", "ISSUER", "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "KEY_PASSPHRASE", "POLICY_FILE")
        shared = {f"AUTHCENTER_{name}" for name in names} & self.environment.keys()
        return AuthcenterProcess(directory, settings={name: self.environment[name] for name in shared})

    @property
    def url(self) -> str:
        """Of the public listener."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def ops_url(self) -> str:
        """Of the operators' listener."""
        return f"http://127.0.0.1:{self.ops_port}"

    def answers(self) -> bool:
        """Whether it is ready (``/readyz`` says 200)."""
        try:
            with urllib.request.urlopen(f"{self.ops_url}/readyz", timeout=10) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def cli(self, *arguments: str, stdin: str | None = None) -> "subprocess.CompletedProcess[str]":
        """Run an ``authcenter`` command on this server's settings and database."""
        return authcenter_cli(self.environment, *arguments, stdin=stdin)

    def cli_json(self, *arguments: str, stdin: str | None = None) -> Any:
        """Run an ``authcenter … --json`` command that must succeed, and return what it printed, decoded."""
        return cli_json(self.environment, *arguments, stdin=stdin)


def authcenter_cli(
    environment: Mapping[str, str], *arguments: str, stdin: str | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run ``authcenter ARGUMENTS`` to its end, whatever its exit code; ``stdin`` is empty unless given."""
    done = subprocess.run(
        [sys.executable, "-m", "authcenter", *arguments],
        input=stdin or "",
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=_CLI_HANG_SECONDS,
    )
    THIS_RUN.note_environment(environment)
    THIS_RUN.note_answer(done.stdout)
    if "--password-stdin" in arguments or "--token-stdin" in arguments:
        THIS_RUN.note((stdin or "").strip())
    THIS_RUN.texts.append([done.stderr])
    return done


def cli_json(environment: Mapping[str, str], *arguments: str, stdin: str | None = None) -> Any:
    """Run ``authcenter ARGUMENTS --json``, insist on exit code 0, and return its output, decoded."""
    done = authcenter_cli(environment, *arguments, "--json", stdin=stdin)
    assert done.returncode == 0, f"authcenter {' '.join(arguments)}: exit {done.returncode}\n{done.stderr}"
    return json.loads(done.stdout)


def _clean_environment() -> dict[str, str]:
    """This process's environment without settings of the person who runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AUTHCENTER_", "OTEL_"))}
    # The product is run from a directory of the test, so that it can touch nothing of the checkout.
    return kept | {"PYTHONPATH": str(_PROJECT)}
