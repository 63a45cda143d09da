"""What people who sign up find in their mail: the letters that the service leaves in its outbox."""

import asyncio

from sqlalchemy import select

from authcenter.accounts.letters import Letters
from authcenter.core.derived import SealingKeys
from authcenter.core.job import JobName
from authcenter.settings.boot import load_boot_settings
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.sign_in_tables import outbox
from tests.browser.site import Site

_SECONDS_BETWEEN_LOOKS = 0.1


async def sign_up_link(site: Site, address: str) -> str:
    """The link of the first letter to ``address``; waits until the background has left it."""
    settings = load_boot_settings(None, site.process.environment)
    letters = Letters(SealingKeys.derive(settings.secret_keys, "mail"))
    sealed = select(outbox.c.payload).where(outbox.c.job == JobName.MAIL)
    database = Database(settings.database_url)
    try:
        while True:
            async with database.reading() as connection:
                opened = [letters.open(payload) for payload in (await connection.execute(sealed)).scalars()]
            for letter in opened:
                if letter is not None and letter.to == address:
                    return site.issuer + letter.values["link"]
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
    finally:
        await database.close()
