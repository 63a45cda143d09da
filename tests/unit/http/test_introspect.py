"""The introspection endpoint: signed answers (RFC 9701), and what is counted."""

import json

import aiohttp
import jwt

from tests.unit.http.requests import basic
from tests.workbench import ISSUER, Workbench


async def test_a_signed_answer_is_for_its_caller_and_of_its_own_type(
    bench: Workbench, web: aiohttp.ClientSession
) -> None:
    token = (await bench.ask("client_credentials")).access
    auth = basic("app", bench.secrets["app"])
    headers = {"Accept": "application/token-introspection+jwt"}
    keys = jwt.PyJWKSet.from_dict(json.loads(bench.core.keys.ring.jwks))
    for presented, active in ((token, True), ("x", False)):
        async with web.post("/oauth/introspect", data={"token": presented}, headers={**auth, **headers}) as response:
            assert response.content_type == "application/token-introspection+jwt"
            answer = await response.text()
        header = jwt.get_unverified_header(answer)
        assert header["typ"] == "token-introspection+jwt"
        claims = jwt.decode(
            answer,
            keys[header["kid"]].key,
            algorithms=["ES256"],
            audience="app",
            issuer=ISSUER,
            options={"verify_iat": False},
        )
        assert set(claims) == {"iss", "aud", "iat", "token_introspection"}
        assert claims["token_introspection"]["active"] is active
        # It can never be taken for an access token.
        assert not await bench.active(answer)


async def test_outcomes_are_counted(bench: Workbench, web: aiohttp.ClientSession) -> None:
    token = (await bench.ask("client_credentials")).access
    auth = basic("app", bench.secrets["app"])
    for form in ({"token": token}, {"token": "x"}, {}):
        async with web.post("/oauth/introspect", data=form, headers=auth) as response:
            await response.read()
    for outcome in ("active", "inactive", "refused"):
        assert bench.counted("introspection_total", outcome=outcome) == 1
    assert bench.counted("introspection_seconds_count") == 3
    assert bench.counted("access_token_validation_failure_total", reason="malformed") == 1


async def test_a_wrong_hint_is_harmless(bench: Workbench, web: aiohttp.ClientSession) -> None:
    answer = await bench.issue()
    auth = basic("app", bench.secrets["app"])
    for path in ("/oauth/introspect", "/oauth/revoke"):
        for token, hint in ((answer.access, "refresh_token"), (answer.refresh, "access_token"), ("x", "nonsense")):
            form = {"token": token, "token_type_hint": hint}
            async with web.post(path, data=form, headers=auth) as response:
                assert response.status == 200
    assert bench.ended(answer.refresh)
    assert not await bench.active(answer.access)
