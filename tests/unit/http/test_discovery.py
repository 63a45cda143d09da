"""Discovery and the JWK set: true, and cheap to ask again."""

import json

import aiohttp
import pytest

from authcenter.jose.algorithms import Alg
from tests.workbench import ISSUER, Workbench, stored_key

DOCUMENTS = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"]
JWKS = "/.well-known/jwks.json"


async def test_both_documents_say_the_same(web: aiohttp.ClientSession) -> None:
    bodies = []
    for path in DOCUMENTS:
        async with web.get(path) as response:
            bodies.append(await response.read())
    assert bodies[0] == bodies[1]
    assert json.loads(bodies[0])["issuer"] == ISSUER


async def test_every_endpoint_that_is_announced_is_there(bench: Workbench, web: aiohttp.ClientSession) -> None:
    async with web.get(DOCUMENTS[0]) as response:
        document = await response.json()
    for name, url in document.items():
        if name.endswith(("_endpoint", "_uri")):
            async with web.request("GET" if name == "jwks_uri" else "POST", url.removeprefix(ISSUER)) as response:
                assert response.status in {200, 400, 401}, name
    assert set(document["grant_types_supported"]) == set(bench.granter.strategies)
    assert document["introspection_signing_alg_values_supported"] == [alg.value for alg in Alg]


async def test_what_discovery_says_of_authorization_requests(web: aiohttp.ClientSession) -> None:
    async with web.get(DOCUMENTS[0]) as response:
        document = await response.json()
    said = {
        "authorization_endpoint": f"{ISSUER}/oauth/authorize",
        "pushed_authorization_request_endpoint": f"{ISSUER}/oauth/par",
        "require_pushed_authorization_requests": False,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment", "form_post", "jwt", "query.jwt", "form_post.jwt"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "request_parameter_supported": True,
        "request_uri_parameter_supported": False,
        "request_object_signing_alg_values_supported": ["ES256", "RS256", "PS256", "EdDSA"],
        "subject_types_supported": ["public", "pairwise"],
        "claims_parameter_supported": True,
        "scopes_supported": ["address", "email", "offline_access", "openid", "phone", "profile"],
        "prompt_values_supported": ["consent", "login", "none", "select_account"],
        "ui_locales_supported": ["de", "en"],
    }
    assert said.items() <= document.items()


async def test_discovery_announces_the_algorithms_that_have_a_key(bench: Workbench, web: aiohttp.ClientSession) -> None:
    kinds = ("id_token", "userinfo", "authorization")
    key = stored_key(Alg.RS256)
    bench.record.tables.keys[key.kid] = key
    for algs in (["ES256", "EdDSA"], ["ES256", "RS256", "EdDSA"]):
        async with web.get(DOCUMENTS[0]) as response:
            document = await response.json()
        assert [document[f"{kind}_signing_alg_values_supported"] for kind in kinds] == [algs] * 3
        bench.core.keys._rows = []
        await bench.core.keys.reload()


MATCHES = [
    pytest.param("{}", 304, id="the same"),
    pytest.param("W/{}", 304, id="weakened by a proxy"),
    pytest.param('"x", {}', 304, id="one of several"),
    pytest.param("*", 304, id="any"),
    pytest.param('"x"', 200, id="another"),
    pytest.param("", 200, id="empty"),
]


@pytest.mark.parametrize("path", [*DOCUMENTS, JWKS])
@pytest.mark.parametrize(("condition", "status"), MATCHES)
async def test_who_has_it_already_gets_304(web: aiohttp.ClientSession, path: str, condition: str, status: int) -> None:
    async with web.get(path) as first:
        etag = first.headers["ETag"]
    async with web.get(path, headers={"If-None-Match": condition.format(etag)}) as response:
        assert response.status == status
        assert response.headers["ETag"] == etag
        assert response.headers["Cache-Control"] == "public, max-age=600"
        assert bool(await response.read()) == (status == 200)


async def test_max_age_is_the_policys(bench: Workbench, web: aiohttp.ClientSession) -> None:
    bench.offer("jwks: {max_age: 60}")
    for path in (*DOCUMENTS, JWKS):
        async with web.get(path) as response:
            assert response.headers["Cache-Control"] == "public, max-age=60"


async def test_a_rotation_changes_the_jwk_set_and_its_etag(bench: Workbench, web: aiohttp.ClientSession) -> None:
    async with web.get(JWKS) as before:
        assert before.content_type == "application/jwk-set+json"
        old = {key["kid"] for key in (await before.json(content_type=None))["keys"]}
    await bench.core.rotation.rotate(Alg.ES256, bench.clock.now() - bench.clock.now(), "tests")
    async with web.get(JWKS, headers={"If-None-Match": before.headers["ETag"]}) as after:
        assert after.status == 200
        new = {key["kid"] for key in (await after.json(content_type=None))["keys"]}
    assert old < new


async def test_head_is_get_without_the_body(web: aiohttp.ClientSession) -> None:
    async with web.get(JWKS) as get, web.head(JWKS) as head:
        assert head.status == 200
        assert head.headers["ETag"] == get.headers["ETag"]
        assert head.headers["Content-Length"] == get.headers["Content-Length"]
        assert await head.read() == b""
