"""Which clients are of no use to anybody, over every record."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from authcenter.core.client import Client
from authcenter.core.consent import Consent
from authcenter.core.cut import NO_CONSEQUENCES
from authcenter.core.ids import ClientId, Subject
from authcenter.core.relying_party import RelyingParty
from authcenter.core.scope import Scope
from tests.integration.stores.backends import Stores
from tests.integration.stores.samples import a_bare_client, a_family, a_refresh_token

MADE, DAY = datetime(2030, 1, 1, tzinfo=UTC), timedelta(days=1)


def stranger(client_id: str = "dyn_1", **changes: Any) -> Client:
    given = {
        "created_at": MADE,
        "updated_at": MADE,
        "grants": frozenset({"authorization_code", "refresh_token"}),
        "relying_party": RelyingParty(dynamic=True, openly=True),
    }
    return replace(a_bare_client(client_id), **(given | changes))


async def unused(stores: Stores, before: datetime = MADE + DAY, most: int = 10) -> list[str]:
    return [*await stores.unused_clients.list_unused(before, most)]


async def test_the_oldest_come_first_and_no_more_than_asked(stores: Stores) -> None:
    for number, age in enumerate((1, 3, 2)):
        await stores.clients.add(stranger(f"dyn_{number}", updated_at=MADE - age * DAY))
    assert await unused(stores) == ["dyn_1", "dyn_2", "dyn_0"]
    assert await unused(stores, most=1) == ["dyn_1"]
    assert await unused(stores, before=MADE - 2 * DAY) == ["dyn_1"]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"updated_at": MADE + DAY}, id="looked after lately"),
        pytest.param({"relying_party": RelyingParty(dynamic=True)}, id="vouched for by a token"),
        pytest.param({"relying_party": RelyingParty()}, id="made by an operator"),
        pytest.param({"disabled_at": MADE}, id="disabled by an operator"),
        pytest.param({"first_party": True}, id="made first-party by an operator"),
        pytest.param({"grants": frozenset({"client_credentials"})}, id="of a grant that leaves no trace"),
    ],
)
async def test_others_stay(stores: Stores, changes: dict[str, Any]) -> None:
    await stores.clients.add(stranger(**changes))
    assert await unused(stores) == []


async def test_one_that_somebody_consented_to_stays(stores: Stores) -> None:
    await stores.clients.add(stranger())
    scope, agreed = Scope.of({"openid"}), Subject("usr_ada")
    consent = Consent(agreed, ClientId("dyn_1"), scope, frozenset(), frozenset(), MADE, MADE)
    await stores.consents.put(consent, NO_CONSEQUENCES)
    assert await unused(stores) == []


async def test_one_with_a_family_stays(stores: Stores) -> None:
    await stores.clients.add(stranger())
    family = a_family(client_id="dyn_1")
    await stores.refresh_tokens.open_family(family, a_refresh_token(family.family_id, "s1"))
    assert await unused(stores) == []
