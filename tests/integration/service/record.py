"""An operator at the record of a running deployment, without the seconds that each start of the command costs.

The command line itself is shown by the newcomer's path and has tests of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from authcenter.accounts.passwords import PasswordHashing
from authcenter.clients.entitlements import ClientMetadata
from authcenter.core.client import AuthMethod
from authcenter.core.clock import SystemClock
from authcenter.core.secret import Secret
from authcenter.core.user import User
from authcenter.settings.boot import load_boot_settings
from authcenter.settings.live import LivePolicy
from authcenter.settings.policy import Policy
from authcenter.stores.sql.database import Database
from authcenter.wiring.core import Core, build_core
from authcenter.wiring.record import open_record
from tests.integration.service.api import Credentials

PASSWORD = "correct horse battery staple"
_ACTOR = "test"


@dataclass(frozen=True, slots=True)
class Operator:
    """Acts on the record that ``environment`` names. May be called from a test's event loop too."""

    environment: Mapping[str, str]

    def client(self, client_id: str, *grants: str, public: bool = False, **fields: Any) -> Credentials:
        """Register a client; ``fields`` are ``ClientMetadata``'s, sets and tuples given as lists."""
        typed = {name: _FIELD_TYPES.get(name, lambda value: value)(value) for name, value in fields.items()}
        if public:
            typed["auth_methods"] = frozenset({AuthMethod.NONE})
        metadata = ClientMetadata(client_id, grants=frozenset(grants), **typed)
        _, secret = self.act(lambda core: core.clients.create(metadata, _ACTOR))
        return Credentials(client_id, secret.reveal() if secret else None)

    def user(self, username: str, *roles: str) -> User:
        """Make a user whose password is ``PASSWORD``."""
        return self.act(
            lambda core: core.accounts.create(
                username, f"{username}@example.com", Secret(PASSWORD), roles, actor=_ACTOR
            )
        )

    def act(self, act: Callable[[Core], Awaitable[Any]]) -> Any:
        """Run an act on the record's services."""

        async def on_core() -> Any:
            settings, clock, hashing = self._settings(), SystemClock(), PasswordHashing()
            try:
                async with open_record(settings, clock, redis_seconds=2.0) as record:
                    return await act(build_core(settings, LivePolicy(Policy()), record.stores, hashing, clock))
            finally:
                hashing.close()

        return _run_apart(on_core)

    def rows(self, statement: str) -> list[Any]:
        """What a query answers."""

        async def query() -> list[Any]:
            database = Database(self._settings().database_url)
            try:
                async with database.reading() as connection:
                    return list((await connection.execute(text(statement))).all())
            finally:
                await database.close()

        rows: list[Any] = _run_apart(query)
        return rows

    def _settings(self) -> Any:
        return load_boot_settings(None, self.environment)


def _run_apart(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """In a thread of its own, so that an async test may call it as well."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(work())).result()


_FIELD_TYPES: dict[str, Callable[[Any], Any]] = {
    "scopes": frozenset,
    "audiences": tuple,
    "serves": frozenset,
    "redirect_uris": tuple,
    "origins": frozenset,
}
