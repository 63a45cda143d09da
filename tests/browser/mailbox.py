"""What people would find in their mail: the letters that the service has left in its outbox."""

from sqlalchemy import select

from authcenter.accounts.letters import Letters
from authcenter.core.derived import SealingKeys
from authcenter.settings.boot import load_boot_settings
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.sign_in_tables import outbox
from tests.browser.site import Site


async def newest_link(site: Site, address: str) -> str:
    """The path, with its query, of the link in the newest letter to ``address``."""
    settings = load_boot_settings(None, site.process.environment)
    letters = Letters(SealingKeys.derive(settings.secret_keys, "mail"))
    database = Database(settings.database_url)
    try:
        async with database.reading() as connection:
            newest_first = select(outbox.c.payload).where(outbox.c.job == "mail").order_by(outbox.c.job_id.desc())
            payloads = (await connection.execute(newest_first)).scalars().all()
    finally:
        await database.close()
    opened = (letters.open(payload) for payload in payloads)
    return next(letter.values["link"] for letter in opened if letter is not None and letter.to == address)
