"""What the password hashes at rest cost to guess. No hash leaves this file, only what stands before the salts."""

import re

from sqlalchemy import func, select

from authcenter.stores.ports.condition import HashCosts
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.tables import users

_BCRYPT_COST = len("$2b$12$")
_LONGEST_COST = 64
_LOOKED_AT = 10_000
_ARGON2_COST = re.compile(r"\$argon2id?\$(?:v=[0-9]+\$)?m=[0-9]+,t=[0-9]+,p=[0-9]+\$")


async def hash_costs(database: Database, usual: str) -> HashCosts:
    """Of all that are not of the cost ``usual``; of argon2 at most the first ten thousand. Raises ``StoreUnavailable``.

    Args:
        usual: The beginning of a hash as it is made here.
    """
    stored = users.c.password_hash
    bcrypt = func.substr(stored, 1, _BCRYPT_COST)
    argon2 = func.substr(stored, 1, _LONGEST_COST)
    costs: dict[str, int] = {}
    async with database.reading() as connection:
        counted = select(bcrypt, func.count()).where(stored.startswith("$2")).group_by(bcrypt)
        costs.update((cost, count) for cost, count in await connection.execute(counted))
        unusual = stored.startswith("$argon2"), ~stored.startswith(usual, autoescape=True)
        for beginning in (await connection.execute(select(argon2).where(*unusual).limit(_LOOKED_AT))).scalars():
            if found := _ARGON2_COST.match(beginning):
                costs[found[0]] = costs.get(found[0], 0) + 1
    return costs
