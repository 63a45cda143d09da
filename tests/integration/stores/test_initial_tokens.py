"""Initial access tokens, over every record."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from authcenter.core.cut import Consequences
from authcenter.core.digest import Digest
from authcenter.core.event import Event, EventKind
from authcenter.core.registration import InitialAccessToken
from tests.integration.stores.backends import Stores

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def token(name: str, uses: int = 1, lifetime: timedelta = timedelta(hours=1)) -> InitialAccessToken:
    return InitialAccessToken(name, Digest(name.encode().ljust(32)), NOW, "tests", NOW + lifetime, uses)


async def test_what_is_kept_is_found(stores: Stores) -> None:
    tokens = [token("a"), token("b", uses=3)]
    for one in tokens:
        await stores.initial_tokens.add(one)
    assert await stores.initial_tokens.list_tokens() == tokens
    assert await stores.initial_tokens.find(tokens[1].digest) == tokens[1]
    assert await stores.initial_tokens.find(Digest(bytes(32))) is None


async def test_as_many_use_it_as_it_has_uses(stores: Stores) -> None:
    one = token("a", uses=3)
    await stores.initial_tokens.add(one)
    at_once = await asyncio.gather(*(stores.initial_tokens.spend(one.digest, NOW) for _ in range(8)))
    assert sorted(at_once) == [False] * 5 + [True] * 3
    assert await stores.initial_tokens.find(one.digest) == replace(one, uses_left=0)


async def test_a_lapsed_one_is_not_spent_and_goes_with_the_next(stores: Stores) -> None:
    old, new = token("a"), replace(token("b"), created_at=NOW + timedelta(hours=1))
    await stores.initial_tokens.add(old)
    assert not await stores.initial_tokens.spend(old.digest, old.expires_at)
    await stores.initial_tokens.add(new)
    assert await stores.initial_tokens.list_tokens() == [new]


async def test_removing_is_recorded_where_there_was_one(stores: Stores) -> None:
    gone = Consequences(events=(Event(EventKind.INITIAL_TOKEN_REVOKED, "tests"),))
    await stores.initial_tokens.add(token("a"))
    assert await stores.initial_tokens.remove("a", gone)
    assert not await stores.initial_tokens.remove("a", gone)
    assert [row.event for row in await stores.proven_rows()] == ["initial_token.revoked"]
