"""A terminal for tests: the whole command, in this process, on an SQLite database of the test's own."""

import json
import os
import secrets
import shutil
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from click.testing import CliRunner

from authcenter.cli.root import command, main
from authcenter.cli.session import run_on_record
from authcenter.wiring.core import Core

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has ended."""

    exit_code: int
    out: str
    err: str


class Console:
    """Types commands. A process start costs seconds, so they run here; what needs a real one uses ``environment``."""

    def __init__(self, directory: Path) -> None:
        self.policy = directory / "policy.yaml"
        self.database = directory / "authcenter.db"
        self.environment = {
            "AUTHCENTER_ENV": "development",
            "AUTHCENTER_DATABASE_URL": f"sqlite+aiosqlite:///{self.database}",
            "AUTHCENTER_POLICY_FILE": str(self.policy),
            "AUTHCENTER_STATE_DIR": str(directory / "var"),
            "AUTHCENTER_SECRET_KEY": secrets.token_urlsafe(32),
            "AUTHCENTER_KEY_PASSPHRASE": secrets.token_urlsafe(32),
        }
        self.policy.touch()

    def copied_to(self, directory: Path) -> "Console":
        """Another console with the same secrets and a copy of the record."""
        made = Console(directory)
        shutil.copy(self.database, made.database)
        for name in ("AUTHCENTER_SECRET_KEY", "AUTHCENTER_KEY_PASSPHRASE"):
            made.environment[name] = self.environment[name]
        return made

    def run(self, *arguments: str, stdin: str | bytes = b"") -> Done:
        """``authcenter ARGUMENTS``, whatever comes of it."""
        given, argv = stdin.encode() if isinstance(stdin, str) else stdin, sys.argv
        with CliRunner().isolation(input=given, env=self._isolated()) as (out, err, _):
            sys.argv = ["authcenter", *arguments]
            try:
                main()
                exit_code = 0
            except SystemExit as left:
                exit_code = int(left.code or 0)
            finally:
                sys.argv = argv
        return Done(exit_code, out.getvalue().decode(), err.getvalue().decode())

    def told(self, *arguments: str, stdin: str | bytes = b"") -> Any:
        """What a command that must succeed prints with ``--json``."""
        done = self.run(*arguments, "--json", stdin=stdin)
        assert done.exit_code == 0, done.err
        return json.loads(done.out)

    def refused(self, *arguments: str, stdin: str | bytes = b"", exit_code: int) -> str:
        """The one line that a command which must fail says."""
        done = self.run(*arguments, stdin=stdin)
        assert (done.exit_code, done.out) == (exit_code, ""), done
        assert done.err.startswith("authcenter: ")
        assert done.err.count("\n") == 1, done.err
        return done.err.removeprefix("authcenter: ").strip()

    def act(self, act: Callable[[Core], Awaitable[Any]]) -> Any:
        """Something that no command does, on the same record."""
        with CliRunner().isolation(env=self._isolated()):
            return run_on_record(click.Context(command), act)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(self.database)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def dump(self) -> str:
        """The whole database, as text."""
        connection = sqlite3.connect(self.database)
        try:
            return "\n".join(connection.iterdump())
        finally:
            connection.close()

    def events(self) -> list[str]:
        """The audit log, by kind, in order."""
        return [event for (event,) in self.rows("SELECT event FROM auth_audit ORDER BY rowid")]

    def user(self, username: str, *options: str) -> dict[str, Any]:
        """A user whose password is ``PASSWORD``."""
        named = ("--username", username, "--email", f"{username}@example.com")
        made: dict[str, Any] = self.told("users", "create", *named, *options, "--password-stdin", stdin=PASSWORD)
        return made

    def _isolated(self) -> dict[str, str | None]:
        return {name: None for name in os.environ if name.startswith("AUTHCENTER_")} | self.environment
