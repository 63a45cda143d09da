"""Where a person or a secret may be sent."""

import asyncio
import hashlib

import pytest

from authcenter.core import base64url
from authcenter.core.rules import Rule
from authcenter.federation.calls import ProviderCalls
from authcenter.stores.remote.fetch import GuardedFetch
from tests.unit.federation.conftest import Abroad, button
from tests.unit.http.browsing import Tab

URLS = [
    ("https://id.example/token", True, True),
    ("https://id.example:8443/token?x=y", True, True),
    ("http://127.0.0.1:8080/token", True, False),
    ("http://[::1]/token", True, False),
    ("http://localhost/token", True, False),
    ("http://id.example/token", False, False),
    ("http://10.0.0.1/token", False, False),
    ("http://localhost.evil.example/", False, False),
    ("http://127.0.0.1.evil.example/", False, False),
    ("https://user@id.example/", False, False),
    ("https://id.example/#here", False, False),
    ("https:///token", False, False),
    ("https://[::1", False, False),
    ("//id.example/token", False, False),
    ("ftp://id.example/token", False, False),
    ("javascript:alert(1)", False, False),
    ("https://id.example/a b", False, False),
    ("https://id.example/\r\nX: y", False, False),
    ("https://\u0456d.example/", False, False),
    ("", False, False),
    (None, False, False),
    (["https://id.example/"], False, False),
]


@pytest.mark.parametrize(("url", "in_development", "in_production"), URLS)
def test_only_https_is_good_enough_beyond_this_machine(url: object, in_development: bool, in_production: bool) -> None:
    fetch = GuardedFetch(tuple)
    assert ProviderCalls(fetch, plain_loopback=True).permits(url) is in_development
    assert ProviderCalls(fetch, plain_loopback=False).permits(url) is in_production


async def test_what_many_ask_for_at_once_is_fetched_once(abroad: Abroad) -> None:
    tabs = [Tab(abroad.tab.address) for _ in range(6)]
    starts = [button(await tab.get("/login"), "company") for tab in tabs]
    left = await asyncio.gather(*(tab.get(start) for tab, start in zip(tabs, starts, strict=True)))
    assert {shown.status for shown in left} == {303}
    assert abroad.company.hits == ["/.well-known/openid-configuration"]


async def test_a_request_that_no_url_can_carry_has_another_way(abroad: Abroad) -> None:
    """Random text does not compress: as an application's ``claims`` or ``state`` may be."""
    texts = [base64url.encode(hashlib.shake_256(bytes([number])).digest(1_350)) for number in range(3)]
    await abroad.bench.client(
        "shop",
        auth_methods=frozenset({"none"}),
        grants=frozenset({"authorization_code"}),
        redirect_uris=("https://shop.example/cb",),
    )
    path = "/oauth/authorize?client_id=shop&redirect_uri=https://shop.example/cb&response_type=code&scope=read"
    path += f"&code_challenge={'c' * 43}&code_challenge_method=S256"
    path += "&state={}&nonce={}&login_hint={}".format(*texts)
    shown = await abroad.tab.follow(await abroad.tab.get(path))
    refused = await abroad.tab.get(button(shown, "company"))
    assert (refused.status, abroad.rule()) == (400, Rule.REQUEST_TOO_LARGE)
    assert "Sign in another way" in refused.body


@pytest.mark.parametrize(("minutes_ago", "counts"), [(20, False), (0, True), (None, True)])
async def test_a_provider_that_did_not_ask_afresh_is_not_believed(
    abroad: Abroad, minutes_ago: int | None, counts: bool
) -> None:
    await abroad.come_back("company")
    abroad.bench.clock.advance(600)
    csrf = (await abroad.tab.get("/login")).fields["csrf"]
    login = (await abroad.tab.post("/account/identities", {"csrf": csrf, "provider": "x"})).location
    if minutes_ago is not None:
        abroad.company.claims["auth_time"] = int(abroad.bench.clock.seconds()) - 60 * minutes_ago
    shown = await abroad.come_back("company", login)
    assert (shown.location == "/account/identities") is counts
    assert counts or abroad.rule() == Rule.PROVIDER_ID_TOKEN
