"""Signed authorization requests over HTTP (RFC 9101): what counts, where errors go, and who must sign."""

from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from authcenter.core.client import Profile
from authcenter.core.relying_party import RelyingParty
from tests.forgery import ABSENT
from tests.unit.authorization.signing import NOW, jwks, request_object
from tests.unit.authorization.test_authorize import GOOD, REDIRECT
from tests.unit.authorization.test_pushed import PARTY, Pusher
from tests.unit.authorization.test_request_objects import ASKED, EVIL
from tests.workbench import API, OTHER_API, Workbench


@pytest.fixture
async def shop(bench: Workbench, web: aiohttp.ClientSession) -> Pusher:
    party = RelyingParty(jwks=jwks())
    await bench.client("shop", audiences=(API, OTHER_API), relying_party=party, **PARTY)
    two = {**PARTY, "redirect_uris": (REDIRECT, REDIRECT + "2")}
    await bench.client("rp", profile=Profile.OIDC, relying_party=party, **two)
    return Pusher(bench, web)


def only(client: str, **parameters: str) -> dict[str, str | None]:
    """A request with these parameters, and no others of a good one."""
    return {**dict.fromkeys(GOOD), "client_id": client, **parameters}


def of_rp(**claims: Any) -> str:
    return request_object({**ASKED, "iss": "rp", "client_id": "rp", **claims})


async def test_a_signed_request_needs_only_the_client_beside_it(shop: Pusher) -> None:
    assert (await shop.authorize(**only("shop", request=request_object(ASKED)))).page == "/login"
    await shop.sign_in()
    assert (await shop.back()).page == "/consent"
    told = (await shop.back(consent="granted")).told
    assert told.keys() == {"keep", "code", "state", "iss"}
    assert told["state"] == GOOD["state"]


async def test_what_stands_beside_a_signed_request_alone_does_not_count(shop: Pusher) -> None:
    await shop.ready()
    inside = {name: value for name, value in ASKED.items() if name not in {"state", "nonce"}}
    told = (await shop.authorize(request=request_object(inside), response_mode="fragment", prompt="none")).told
    assert "code" in told
    assert "state" not in told
    (code,) = shop.bench.record.tables.codes.values()
    assert code.nonce is None


async def test_an_openid_client_may_repeat_what_openid_demands(shop: Pusher) -> None:
    written = of_rp(scope="openid email")
    beside = only("rp", request=written, response_type="code", scope="openid")
    assert (await shop.authorize(**beside)).page == "/login"


WHERE = [
    pytest.param("shop", lambda: "a.b.c", {"redirect_uri": EVIL}, "page", id="unread, to a stranger"),
    pytest.param("rp", lambda: "a.b.c", {}, "page", id="unread, to nobody"),
    pytest.param("rp", lambda: "a.b.c", {"redirect_uri": REDIRECT}, "client", id="unread, to the client"),
    pytest.param(
        "rp", lambda: of_rp(redirect_uri=EVIL, exp=NOW - 99), {"redirect_uri": REDIRECT}, "client", id="expired"
    ),
    pytest.param("rp", lambda: of_rp(redirect_uri=EVIL), {}, "page", id="a stranger, signed"),
    pytest.param(
        "rp", lambda: of_rp(redirect_uri=EVIL), {"redirect_uri": EVIL}, "page", id="a stranger, signed and beside it"
    ),
    pytest.param("rp", lambda: of_rp(redirect_uri=ABSENT), {"redirect_uri": REDIRECT}, "page", id="none signed"),
    pytest.param("rp", of_rp, {"redirect_uri": EVIL}, "page", id="a stranger beside it"),
    pytest.param("rp", of_rp, {"redirect_uri": REDIRECT + "2"}, "client", id="another beside it"),
    pytest.param("rp", of_rp, {"state": "x", "redirect_uri": REDIRECT}, "client", id="another state"),
    pytest.param("rp", lambda: request_object(ASKED), {"redirect_uri": REDIRECT}, "client", id="of another client"),
]


@pytest.mark.parametrize(("client", "make", "beside", "where"), WHERE)
async def test_where_errors_go(shop: Pusher, client: str, make: Any, beside: dict[str, str], where: str) -> None:
    outcome = await shop.authorize(**only(client, request=make(), **beside))
    if where == "page":
        assert (outcome.status, outcome.location) == (400, "")
        assert outcome.headers["Content-Type"].startswith("text/html")
        assert "evil" not in outcome.body
    else:
        assert outcome.location.startswith(REDIRECT)
        assert outcome.told["error"] == "invalid_request_object"


async def test_what_a_signed_request_asks_wrongly_is_told_where_it_says_and_how(shop: Pusher) -> None:
    written = of_rp(redirect_uri=REDIRECT + "2", prompt="none login", response_mode="form_post")
    outcome = await shop.authorize(**only("rp", request=written))
    assert outcome.status == 200
    assert f'action="{REDIRECT}2"' in outcome.body
    assert outcome.told["error"] == "invalid_request"
    assert outcome.told["state"] == GOOD["state"]


async def test_a_signed_request_may_be_posted_and_pushed(shop: Pusher) -> None:
    assert (await shop.authorize(post=True, **only("shop", request=request_object(ASKED)))).page == "/login"
    request_uri = await shop.push(**only("shop", request=request_object({**ASKED, "resource": [API]})))
    (kept,) = shop.bench.record.tables.pushed.values()
    assert (kept.parameters, kept.resources) == (ASKED, (API,))
    await shop.sign_in()
    assert (await shop.visit(request_uri)).page == "/consent"
    assert "code" in (await shop.back(consent="granted")).told


@pytest.mark.parametrize(
    ("claims", "beside", "error"),
    [
        pytest.param({"exp": NOW - 99}, {}, "invalid_request_object", id="expired"),
        pytest.param({}, {"state": "another"}, "invalid_request_object", id="contradicted"),
        pytest.param({"redirect_uri": EVIL}, {}, "invalid_request", id="redirect URI of a stranger"),
        pytest.param({"response_type": ABSENT}, {"response_type": "code"}, "invalid_request", id="only beside it"),
        pytest.param({"code_challenge_method": "plain"}, {}, "invalid_request", id="plain"),
    ],
)
async def test_a_signed_request_that_does_not_hold_cannot_be_pushed(
    shop: Pusher, claims: dict[str, Any], beside: dict[str, str], error: str
) -> None:
    answer = await shop.post(**only("shop", request=request_object({**ASKED, **claims}), **beside))
    assert (answer.status, (await answer.json())["error"]) == (400, error)
    assert not shop.bench.record.tables.pushed


async def test_a_fapi2_client_that_registered_how_to_sign_signs_everything(shop: Pusher) -> None:
    clients = shop.bench.record.tables.clients
    party = replace(clients["shop"].relying_party, request_object_signing_alg="ES256")
    clients["shop"] = replace(clients["shop"], profile=Profile.FAPI2, relying_party=party)
    unsigned = await shop.post()
    assert (unsigned.status, (await unsigned.json())["error"]) == (400, "invalid_request_object")
    request_uri = await shop.push(**only("shop", request=request_object(ASKED)))
    assert (await shop.visit(request_uri)).page == "/login"
