"""What opens a gateway, what does not, and how long the answer counts."""

from typing import Any

import pytest

from authcenter.core.client import OnOutage
from authcenter.core.errors import BearerRefused, OAuthError, Reason, RevocationsUnknown
from authcenter.core.rules import Rule
from authcenter.tokens.gateways import MOST_KEPT_SECONDS, Admission, GatewayGuard
from tests.forgery import ABSENT, forged
from tests.workbench import API, OTHER_API, Workbench

POLICY = f"gateways: {{shop: {{audience: '{API}', scopes: [read]}}, open: {{audience: '{API}'}}}}"


async def admit(bench: Workbench, token: str, gateway: str = "shop") -> Admission:
    guard = guard_of(bench)
    return await guard.admit(guard.find(gateway), token)


def guard_of(bench: Workbench) -> GatewayGuard:
    frame: Any = bench.service.public.__self__  # type: ignore[attr-defined]
    guard: GatewayGuard = frame.router.find("/oauth/validate/shop").any_method.__self__.guard
    return guard


@pytest.fixture
def shop(bench: Workbench) -> Workbench:
    """With the gateways ``shop``, which demands a scope, and ``open``, which demands none."""
    bench.offer(POLICY)
    return bench


async def test_a_good_token_opens_it(shop: Workbench) -> None:
    answer = await shop.issue(scope="read write")
    admission = await admit(shop, answer.access)
    assert admission.token.jti == answer.claims["jti"]
    assert admission.keep_for == MOST_KEPT_SECONDS


REFUSED = [
    pytest.param({"aud": OTHER_API}, Rule.TOKEN_AUDIENCE, Reason.AUDIENCE, id="for another API"),
    pytest.param({"aud": [OTHER_API]}, Rule.TOKEN_AUDIENCE, Reason.AUDIENCE, id="for another API, as a list"),
    pytest.param({"aud": "shop"}, Rule.TOKEN_AUDIENCE, Reason.AUDIENCE, id="for the gateway's name"),
    pytest.param({"aud": "app"}, Rule.TOKEN_AUDIENCE, Reason.AUDIENCE, id="for the client itself"),
    pytest.param({"aud": f"{API}/"}, Rule.TOKEN_AUDIENCE, Reason.AUDIENCE, id="for a longer name"),
    pytest.param({"aud": API[:-1]}, Rule.TOKEN_AUDIENCE, Reason.AUDIENCE, id="for a shorter name"),
    pytest.param({"aud": f"{OTHER_API} {API}"}, Rule.TOKEN_AUDIENCE, Reason.AUDIENCE, id="two names in one"),
    pytest.param({"aud": ""}, Rule.TOKEN_AUDIENCE, Reason.AUDIENCE, id="for an empty name"),
    pytest.param({"aud": []}, Rule.TOKEN_AUDIENCE, Reason.AUDIENCE, id="for nobody"),
    pytest.param({"aud": {API: 1}}, Rule.TOKEN_AUDIENCE, Reason.AUDIENCE, id="an object"),
    pytest.param({"aud": [API, 7]}, Rule.TOKEN_AUDIENCE, Reason.AUDIENCE, id="a list with a number"),
    pytest.param({"aud": ABSENT}, Rule.TOKEN_AUDIENCE, Reason.AUDIENCE, id="no audience"),
    pytest.param({"iss": "https://evil.example"}, Rule.TOKEN_ISSUER, Reason.ISSUER, id="of another issuer"),
    pytest.param({"exp": 1}, Rule.TOKEN_EXPIRED, Reason.EXPIRED, id="expired"),
    pytest.param({"cnf": {"jkt": "x"}}, Rule.TOKEN_BINDING, Reason.BINDING, id="bound to a key"),
    pytest.param({"cnf": None}, Rule.TOKEN_BINDING, Reason.BINDING, id="bound to nothing sensible"),
]


@pytest.mark.parametrize(("claims", "rule", "reason"), REFUSED)
async def test_a_token_that_does_not_hold_here(
    shop: Workbench, claims: dict[str, Any], rule: Rule, reason: Reason
) -> None:
    token = forged(shop.signer, claims)
    for _ in range(2):
        with pytest.raises(BearerRefused) as refused:
            await admit(shop, token)
        assert (refused.value.status, refused.value.rule, refused.value.reason) == (401, rule, reason)
    assert shop.counted("access_token_validation_failure_total", reason=reason) == 2


@pytest.mark.parametrize("audience", [API, [API], [OTHER_API, API]])
async def test_the_audience_may_be_one_of_several(shop: Workbench, audience: Any) -> None:
    assert await admit(shop, forged(shop.signer, {"aud": audience}))


async def test_a_refusal_at_one_gateway_says_nothing_about_another(shop: Workbench) -> None:
    shop.offer(f"gateways: {{shop: {{audience: '{API}'}}, elsewhere: {{audience: '{OTHER_API}'}}}}")
    token = forged(shop.signer)
    for _ in range(2):
        assert await admit(shop, token)
        with pytest.raises(BearerRefused):
            await admit(shop, token, "elsewhere")


@pytest.mark.parametrize("scope", ["write", "", "readx", "read,write", ABSENT, ["read"]])
async def test_without_the_scope_it_is_403(shop: Workbench, scope: Any) -> None:
    token = forged(shop.signer, {"scope": scope})
    with pytest.raises(BearerRefused) as refused:
        await admit(shop, token)
    assert (refused.value.status, refused.value.rule, refused.value.scope) == (403, Rule.TOKEN_SCOPE, "read")
    assert await admit(shop, token, "open")


async def test_refresh_tokens_open_nothing(shop: Workbench) -> None:
    answer = await shop.issue()
    with pytest.raises(BearerRefused):
        await admit(shop, answer.refresh, "open")


async def test_what_was_revoked_opens_nothing(shop: Workbench) -> None:
    answer = await shop.issue()
    assert await admit(shop, answer.access)
    await shop.revoke(answer.access)
    with pytest.raises(BearerRefused) as refused:
        await admit(shop, answer.access)
    assert refused.value.reason is Reason.REVOKED


async def test_the_tokens_of_a_disabled_client_open_nothing(shop: Workbench) -> None:
    token = (await shop.ask("client_credentials")).access
    assert await admit(shop, token)
    await shop.core.clients.disable("app", "tests")
    await shop.follow()
    with pytest.raises(BearerRefused) as refused:
        await admit(shop, token)
    assert refused.value.reason is Reason.REVOKED


@pytest.mark.parametrize("name", ["", "other", "shop ", "SHOP", "../shop", "\udc80"])
async def test_a_gateway_that_is_not_in_the_policy_opens_for_nobody(shop: Workbench, name: str) -> None:
    with pytest.raises(OAuthError) as refused:
        guard_of(shop).find(name)
    assert (refused.value.status, refused.value.rule) == (404, Rule.GATEWAY_UNKNOWN)


OUTAGES = [
    pytest.param("open", None, True, id="open"),
    pytest.param("closed", None, False, id="the policy closed"),
    pytest.param("closed", OnOutage.OPEN, False, id="a client cannot be laxer than the policy"),
    pytest.param("open", OnOutage.CLOSED, False, id="the token's client closed"),
]


@pytest.mark.parametrize(("policy", "client", "admitted"), OUTAGES)
async def test_in_an_outage_the_strictest_counts(
    shop: Workbench, policy: str, client: OnOutage | None, admitted: bool
) -> None:
    shop.offer(f"{POLICY}\nrevocation: {{on_outage: {policy}, max_staleness: 11}}")
    await shop.client("issued-to", grants=frozenset({"client_credentials"}), audiences=(API,), on_outage=client)
    token = (await shop.ask("client_credentials", client="issued-to")).access
    assert await admit(shop, token)
    shop.clock.advance(12)
    if admitted:
        assert await admit(shop, token)
    else:
        with pytest.raises(RevocationsUnknown):
            await admit(shop, token)


async def test_before_revocations_are_loaded_nobody_passes(shop: Workbench) -> None:
    token = (await shop.issue()).access
    shop.core.revocations.loaded = False
    with pytest.raises(RevocationsUnknown):
        await admit(shop, token)


@pytest.mark.parametrize(("left", "kept"), [(900, 5), (6, 5), (5, 5), (4, 4), (1, 1), (0, 0), (-10, 0)])
async def test_an_answer_is_never_kept_longer_than_the_token_lives(shop: Workbench, left: int, kept: int) -> None:
    token = forged(shop.signer)
    shop.clock.advance(900 - left)
    await shop.follow()
    assert (await admit(shop, token)).keep_for == kept


async def test_where_every_validation_has_to_ask_redis_no_answer_is_kept(shop: Workbench) -> None:
    shop.offer(f"{POLICY}\nrevocation: {{mode: strict}}")
    assert (await admit(shop, forged(shop.signer))).keep_for == 0
