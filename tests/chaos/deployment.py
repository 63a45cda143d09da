"""A deployment that dies on demand: server, database, two clients and a user."""

import asyncio
import json
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from authcenter.accounts.passwords import PasswordHashing
from authcenter.audit.chain import first_break
from authcenter.clients.entitlements import ClientMetadata
from authcenter.core.client import Lifetimes
from authcenter.core.clock import SystemClock
from authcenter.core.secret import Secret
from authcenter.settings.boot import load_boot_settings
from authcenter.settings.live import LivePolicy
from authcenter.settings.policy import Policy
from authcenter.stores.ports.audit import AuditRow
from authcenter.stores.sql.tables import families, refresh_tokens
from authcenter.wiring.core import Core, build_core
from authcenter.wiring.record import open_record
from tests.chaos.caller import Caller
from tests.chaos.dying_server import DEATHS, LIFE
from tests.chaos.steps import ARMED, SPRUNG
from tests.servers.authcenter import AuthcenterProcess

T = TypeVar("T")

USER, PASSWORD = "alice", "correct horse battery staple"
AUDIENCE = "https://api.example"
GRACE_SECONDS = 120
_DEATH_SECONDS = 30


@dataclass(slots=True)
class Family:
    """A family as the record has it. ``living``: selectors of tokens that could still be traded."""

    ended: bool
    tokens: int
    living: list[str]


@dataclass(slots=True)
class Deployment:
    """One server process (or more) on one database.

    Attributes:
        patient: A client whose spent refresh tokens are answered again for ``GRACE_SECONDS``.
        strict: A client without such a grace.
    """

    server: AuthcenterProcess
    directory: Path
    patient: Caller = field(init=False)
    strict: Caller = field(init=False)

    @classmethod
    def start(cls, directory: Path, database_url: str | None = None, *, mortal: bool = True) -> "Deployment":
        """Start the server and make what requests need.

        Args:
            mortal: Under a supervisor and with the steps of ``steps``; otherwise the plain command.
        """
        server = AuthcenterProcess(directory, database_url=database_url)
        server.policy_file.write_text(f"tokens: {{refresh_reuse_grace: {GRACE_SECONDS}}}\n")
        if mortal:
            server.child.command = [sys.executable, "-m", "tests.chaos.dying_server", str(directory), "serve"]
        deployment = cls(server, directory)
        server.start()
        deployment.patient, deployment.strict = deployment.on_record(_furnish(server.url))
        return deployment

    def readiness(self) -> dict[str, Any]:
        """What ``/readyz`` says, whatever its status."""
        try:
            with urllib.request.urlopen(f"{self.server.ops_url}/readyz", timeout=5) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as answer:
            with answer:
                return dict(json.load(answer))

    def log_lines(self) -> list[dict[str, Any]]:
        """What the server logged, but for the one line that each request has."""
        lines = [json.loads(line) for line in self.server.log.read_text().splitlines()]
        return [line for line in lines if line["event"] != "request"]

    def on_record(self, act: Callable[[Core], Any]) -> Any:
        """Run ``act`` on the record itself, beside the server, as a command would."""
        return asyncio.run(self.on_record_async(act))

    async def on_record_async(self, act: Callable[[Core], Any]) -> Any:
        settings = load_boot_settings(None, self.server.environment)
        hashing, clock = PasswordHashing(), SystemClock()
        try:
            async with open_record(settings, clock) as record:
                return await act(build_core(settings, LivePolicy(Policy()), record.stores, hashing, clock))
        finally:
            hashing.close()

    def audit(self) -> list[AuditRow]:
        """All audit rows, whose chains hold."""
        return asyncio.run(self.audit_async())

    async def audit_async(self) -> list[AuditRow]:
        rows: list[AuditRow] = await self.on_record_async(_proven_rows)
        return rows

    def events(self, kind: str, **context: str) -> int:
        """How many audit rows there are of a kind, with these values in their context."""
        return sum(row.event == kind and context.items() <= json.loads(row.context).items() for row in self.audit())

    def family(self, selector: str) -> Family:
        """The family of the refresh token with this selector."""
        return asyncio.run(self.family_async(selector))

    async def family_async(self, selector: str) -> Family:
        engine = create_async_engine(self.server.environment["AUTHCENTER_DATABASE_URL"], poolclass=NullPool)
        token = refresh_tokens.c
        mine = select(token.family_id).where(token.selector == selector).scalar_subquery()
        try:
            async with engine.connect() as connection:
                ended = (
                    await connection.execute(select(families.c.ended_at).where(families.c.family_id == mine))
                ).one()
                tokens = select(token.selector, token.spent_at).where(token.family_id == mine)
                rows = (await connection.execute(tokens)).all()
        finally:
            await engine.dispose()
        living = [] if ended.ended_at else [row.selector for row in rows if row.spent_at is None]
        return Family(ended.ended_at is not None, len(rows), living)

    def arm(self, step: str, call: int = 1) -> None:
        """Let the server die at the ``call``-th time it reaches ``step``."""
        (self.directory / SPRUNG).unlink(missing_ok=True)
        (self.directory / DEATHS).unlink(missing_ok=True)
        (self.directory / f"{ARMED}.new").write_text(f"{step} {call}")
        (self.directory / f"{ARMED}.new").rename(self.directory / ARMED)

    def await_death_at(self, step: str, call: int = 1) -> None:
        """Insist that the server died at just this step, and wait until its next life answers."""
        wait_until((self.directory / DEATHS).exists, f"a death at {step!r}")
        assert (self.directory / DEATHS).read_text().split() == [str(int(signal.SIGKILL))]
        self.require_sprung(step, call)
        wait_until(self.server.answers, "the next life")

    def kill(self) -> None:
        """Kill the server where it is, and wait until its next life answers."""
        (self.directory / DEATHS).unlink(missing_ok=True)
        os.kill(int((self.directory / LIFE).read_text()), signal.SIGKILL)
        wait_until((self.directory / DEATHS).exists, "its death")
        wait_until(self.server.answers, "the next life")

    def require_sprung(self, step: str, call: int = 1) -> None:
        """Insist that whoever died did so at just this step."""
        assert (self.directory / SPRUNG).read_text() == f"{step} {call}"


def selector(token: str) -> str:
    """Of a refresh token."""
    return token.removeprefix("acr_").partition(".")[0]


def _furnish(url: str) -> Callable[[Core], Any]:
    async def act(core: Core) -> tuple[Caller, Caller]:
        made = []
        for client_id, grace in (("patient", None), ("strict", timedelta(0))):
            metadata = ClientMetadata(
                client_id,
                grants=frozenset({"client_credentials", "password", "refresh_token"}),
                scopes=frozenset({"read"}),
                audiences=(AUDIENCE,),
                serves=frozenset({AUDIENCE}),
                first_party=True,
                lifetimes=Lifetimes(reuse_grace=grace),
            )
            _, secret = await core.clients.create(metadata, "chaos")
            assert secret is not None
            made.append(Caller(url, client_id, secret.reveal()))
        await core.accounts.create(USER, "alice@example.com", Secret(PASSWORD), actor="chaos")
        return made[0], made[1]

    return act


async def _proven_rows(core: Core) -> list[AuditRow]:
    rows = list(await core.stores.audit.rows())
    assert first_break(rows, core.checkpoint_keys.proves) is None
    return rows


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _DEATH_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"waited {_DEATH_SECONDS} s for {what}"
        time.sleep(0.01)
