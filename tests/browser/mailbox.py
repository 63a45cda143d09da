"""The mailboxes of a site's people, and what its operators do: read from, and written to, its record."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from sqlalchemy import select

from authcenter.accounts.letters import Letters
from authcenter.accounts.passwords import Argon2Cost, PasswordHashing
from authcenter.core.clock import SystemClock
from authcenter.core.derived import SealingKeys
from authcenter.core.job import JobName
from authcenter.core.mail import Letter, MailKind
from authcenter.settings.boot import load_boot_settings
from authcenter.settings.live import LivePolicy
from authcenter.settings.policy import parse_policy
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.sign_in_tables import outbox
from authcenter.wiring.core import Core, build_core
from authcenter.wiring.record import open_record
from tests.browser.site import Site

T = TypeVar("T")

_SECONDS_BETWEEN_LOOKS = 0.1


async def link(site: Site, to: str, kind: MailKind, seen: int = 0) -> str:
    """The link of the latest mail of this kind to that address; waits until there are more than ``seen`` of them."""
    async with _database(site) as database:
        while len(found := await _letters(site, database, to, kind)) <= seen:
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
    return site.issuer + found[-1].values["link"]


async def operate(site: Site, act: Callable[[Core], Awaitable[T]]) -> T:
    """What an operator does on the command line."""
    settings, clock = load_boot_settings(None, site.process.environment), SystemClock()
    hashing = PasswordHashing(Argon2Cost(memory_kib=64, passes=1, lanes=1), workers=1)
    async with open_record(settings, clock) as record:
        try:
            return await act(
                build_core(settings, LivePolicy(parse_policy("", source="file")), record.stores, hashing, clock)
            )
        finally:
            hashing.close()


@asynccontextmanager
async def _database(site: Site) -> AsyncIterator[Database]:
    database = Database(load_boot_settings(None, site.process.environment).database_url)
    try:
        yield database
    finally:
        await database.close()


async def _letters(site: Site, database: Database, to: str, kind: MailKind) -> list[Letter]:
    letters = Letters(SealingKeys.derive(load_boot_settings(None, site.process.environment).secret_keys, "mail"))
    sealed = select(outbox.c.payload).where(outbox.c.job == JobName.MAIL).order_by(outbox.c.created_at, outbox.c.job_id)
    async with database.reading() as connection:
        opened = [letters.open(payload) for payload in (await connection.execute(sealed)).scalars()]
    return [letter for letter in opened if letter is not None and (letter.to, letter.kind) == (to, kind)]
