"""A process that knows no revocations yet: what this server itself serves by access tokens."""

import aiohttp
import pytest

from authcenter.core.rules import Rule
from authcenter.core.scope import ADMIN
from authcenter.sdk.replica import RevocationReplica
from tests.unit.http.operators import ADMIN_AUDIENCE, GRANTS, Desk
from tests.workbench import ISSUER, Workbench

PLACES = [
    pytest.param("/oauth/userinfo", "openid", (ISSUER,), id="userinfo"),
    pytest.param("/api/v1/auth/me", "openid", (ISSUER,), id="the JSON of first-party apps"),
    pytest.param("/admin/v1/users", ADMIN, (ADMIN_AUDIENCE,), id="the admin API"),
]


@pytest.mark.parametrize(("path", "scope", "audience"), PLACES)
async def test_a_token_holds_nowhere_until_revocations_are_known(
    web: aiohttp.ClientSession, bench: Workbench, path: str, scope: str, audience: tuple[str, ...]
) -> None:
    desk = await Desk.open(web, bench)
    await bench.client("phone", grants=GRANTS, scopes=frozenset({scope}), audiences=audience, first_party=True)
    token, revoked = [(await bench.issue(client="phone", username="olga", scope=scope)).access for _ in range(2)]
    await bench.revoke(revoked, "phone")
    revocations = bench.core.revocations
    revocations.replica, revocations.loaded = RevocationReplica(8), False

    for presented in (token, revoked):
        async with web.get(path, headers={"Authorization": f"Bearer {presented}"}) as answer:
            assert answer.status == 503
            assert "Retry-After" in answer.headers
        assert desk.rule() == Rule.REVOCATIONS_STALE

    await bench.follow()
    for presented, status in ((token, 200), (revoked, 401)):
        async with web.get(path, headers={"Authorization": f"Bearer {presented}"}) as answer:
            assert answer.status == status
