"""Codes redeemed, ID tokens, userinfo: over the whole service, with codes as the authorization endpoint stores them."""

import asyncio
import json
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from authcenter.clients.entitlements import ClientMetadata
from authcenter.core.authorization import AuthorizationCode
from authcenter.core.client import AuthMethod, Profile
from authcenter.core.cut import NO_CONSEQUENCES, Cut, CutKind
from authcenter.core.errors import OAuthError
from authcenter.core.event import EventKind
from authcenter.core.ids import ClientId, FamilyId, new_family_id
from authcenter.core.relying_party import RelyingParty
from authcenter.core.rules import Rule
from authcenter.core.scope import Scope
from authcenter.jose.algorithms import Alg
from authcenter.proofs.pkce import challenge_of
from authcenter.tokens.codes import draw_code
from authcenter.tokens.id_tokens import half_hash
from tests.workbench import API, ISSUER, OTHER_API, Workbench, decoded, stored_key

VERIFIER = "v" * 43
REDIRECT = "https://shop.example/cb"


@contextmanager
def refused(rule: Rule):
    with pytest.raises(OAuthError) as caught:
        yield
    assert caught.value.rule is rule


@pytest.fixture
async def shop(bench: Workbench) -> Workbench:
    await bench.client(
        "shop",
        profile=Profile.OIDC,
        grants=frozenset({"authorization_code", "refresh_token"}),
        scopes=frozenset({"openid", "email", "profile", "offline_access", "read"}),
        audiences=(API, OTHER_API),
        redirect_uris=(REDIRECT,),
    )
    for key in (stored_key(Alg.RS256), stored_key(Alg.PS256)):
        bench.record.tables.keys[key.kid] = key
    bench.core.keys._rows = []
    await bench.core.keys.reload()
    bench.events.clear()
    return bench


async def a_code(bench: Workbench, **changes: Any) -> str:
    text, digest = draw_code()
    now = bench.clock.now()
    code = AuthorizationCode(
        digest=digest,
        client_id=ClientId("shop"),
        redirect_uri=REDIRECT,
        code_challenge=challenge_of(VERIFIER),
        nonce="n-0S6",
        scope=Scope.parse("openid email read"),
        audience=(API, ISSUER),
        subject=bench.alice.subject,
        sign_in={"auth_time": int(now.timestamp()) - 5, "acr": "1", "amr": ["pwd"], "sid": "session-1"},
        claims={"id_token": {"preferred_username": None}, "userinfo": {"preferred_username": None}},
        refreshable=True,
        family_id=new_family_id(),
        issued_at=now,
        expires_at=now + timedelta(seconds=60),
    )
    assert await bench.stores.codes.add(replace(code, **changes), NO_CONSEQUENCES)
    return text


async def redeem(bench: Workbench, code: str, **parameters: Any) -> Any:
    given = {"client": "shop", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER, **parameters}
    return await bench.ask("authorization_code", **{name: value for name, value in given.items() if value is not None})


def payload(token: str) -> dict[str, Any]:
    return json.loads(decoded(token.split(".")[1]))


async def userinfo(bench: Workbench, token: str) -> dict[str, Any]:
    endpoint = bench._endpoint("userinfo")
    claims, _ = await endpoint.user_info.of(token)
    return dict(claims)


async def test_a_code_gives_an_access_token_an_id_token_and_a_refresh_token(shop: Workbench) -> None:
    answer = await redeem(shop, await a_code(shop))
    access, identity = answer.claims, payload(answer.members["id_token"])
    now = int(shop.clock.seconds())
    assert (access["sub"], access["aud"], access["sid"]) == (shop.alice.subject, [API, ISSUER], "session-1")
    assert identity == {
        "iss": ISSUER,
        "sub": shop.alice.subject,
        "aud": "shop",
        "exp": now + 300,
        "iat": now,
        "auth_time": now - 5,
        "acr": "1",
        "amr": ["pwd"],
        "sid": "session-1",
        "nonce": "n-0S6",
        "at_hash": half_hash("RS256", answer.access),
        "preferred_username": "alice",
    }
    assert answer.members["scope"] == "email openid read"


async def test_a_refresh_brings_an_id_token_of_the_same_sign_in_without_its_nonce(shop: Workbench) -> None:
    first = await redeem(shop, await a_code(shop))
    shop.clock.advance(100)
    second = await shop.ask("refresh_token", client="shop", refresh_token=first.refresh)
    before, after = payload(first.members["id_token"]), payload(second.members["id_token"])
    assert after["iat"] == before["iat"] + 100
    assert "nonce" not in after
    same = ("iss", "sub", "aud", "auth_time", "sid", "acr")
    assert [after[name] for name in same] == [before[name] for name in same]


@pytest.mark.parametrize(
    ("change", "parameters", "rule"),
    [
        pytest.param({}, {"code": "acc_unknown"}, Rule.CODE_MALFORMED, id="malformed"),
        pytest.param({}, {"code": "acc_" + "A" * 43}, Rule.CODE_UNKNOWN, id="unknown"),
        pytest.param({"client_id": ClientId("app")}, {}, Rule.CODE_FOREIGN, id="of another client"),
        pytest.param({}, {"redirect_uri": REDIRECT + "/"}, Rule.CODE_REDIRECT_URI, id="another redirect URI"),
        pytest.param({}, {"redirect_uri": None}, Rule.CODE_REDIRECT_URI, id="no redirect URI"),
        pytest.param({}, {"code_verifier": None}, Rule.PKCE_MISSING, id="no verifier"),
        pytest.param({}, {"code_verifier": "w" * 43}, Rule.PKCE_MISMATCH, id="another verifier"),
        pytest.param({}, {"code_verifier": "v" * 42}, Rule.PKCE_MALFORMED, id="short verifier"),
        pytest.param({}, {"code_verifier": challenge_of(VERIFIER)}, Rule.PKCE_MISMATCH, id="the challenge itself"),
        pytest.param({"dpop_jkt": challenge_of("key")}, {}, Rule.CODE_KEY_UNPROVEN, id="bound to a key"),
        pytest.param({"code_challenge": None}, {}, Rule.PKCE_UNASKED, id="verifier nobody asked for"),
        pytest.param({}, {"after": timedelta(seconds=60)}, Rule.CODE_EXPIRED, id="lapsed"),
        pytest.param({}, {"resource": "https://third.example"}, Rule.RESOURCE_EXCEEDS_GRANT, id="another resource"),
    ],
)
async def test_a_refused_redemption_spends_nothing(
    shop: Workbench, change: dict[str, Any], parameters: dict[str, Any], rule: Rule
) -> None:
    code = await a_code(shop, **change)
    with refused(rule):
        await redeem(shop, **{"code": code, **parameters})
    assert all(held.spent_at is None for held in shop.record.tables.codes.values())
    assert shop.events == []


async def test_a_whole_callback_address_is_told_without_the_code_in_it(shop: Workbench) -> None:
    code = await a_code(shop)
    with pytest.raises(OAuthError) as refusal:
        await redeem(shop, code, redirect_uri=f"{REDIRECT}?code={code}&state=s")
    assert refusal.value.rule is Rule.CODE_REDIRECT_URI
    assert f"{REDIRECT}?code=" in refusal.value.hint
    assert code not in refusal.value.hint


async def test_a_second_use_ends_what_the_first_one_made(shop: Workbench) -> None:
    code = await a_code(shop)
    answer = await redeem(shop, code)
    with refused(Rule.CODE_REPLAYED):
        await redeem(shop, code)
    assert not await shop.active(answer.access)
    with refused(Rule.REFRESH_FAMILY_ENDED):
        await shop.ask("refresh_token", client="shop", refresh_token=answer.refresh)
    assert [event.kind for event in shop.events] == [EventKind.CODE_REPLAYED]
    shop.clock.advance(40 * 86_400)
    with refused(Rule.CODE_REPLAYED):
        await redeem(shop, code)


async def test_of_a_hundred_at_once_one_wins_and_its_tokens_are_dead(shop: Workbench) -> None:
    code = await a_code(shop)
    answers = await asyncio.gather(*(redeem(shop, code) for _ in range(100)), return_exceptions=True)
    won = [answer for answer in answers if not isinstance(answer, OAuthError)]
    assert len(won) == 1
    assert not await shop.active(won[0].access)


async def test_a_stolen_code_without_its_verifier_does_not_end_what_the_client_got(shop: Workbench) -> None:
    code = await a_code(shop)
    answer = await redeem(shop, code)
    with refused(Rule.PKCE_MISMATCH):
        await redeem(shop, code, code_verifier="w" * 43)
    assert await shop.active(answer.access)


async def test_one_of_the_granted_resources_may_be_asked_for(shop: Workbench) -> None:
    answer = await redeem(shop, await a_code(shop), resource=API)
    assert answer.claims["aud"] == API
    refreshed = await shop.ask("refresh_token", client="shop", refresh_token=answer.refresh)
    assert refreshed.claims["aud"] == [API, ISSUER]


@pytest.mark.parametrize("act", ["disable", "logout"])
async def test_who_was_cut_off_meanwhile_gets_nothing(shop: Workbench, act: str) -> None:
    code = await a_code(shop)
    await getattr(shop.core.accounts, act)("alice", actor="tests")
    with pytest.raises(OAuthError) as caught:
        await redeem(shop, code)
    assert caught.value.rule in {Rule.CODE_USER_GONE, Rule.CODE_CUT}


async def test_without_openid_there_is_no_id_token(shop: Workbench) -> None:
    answer = await redeem(shop, await a_code(shop, scope=Scope.parse("read"), refreshable=False))
    assert set(answer.members) == {"access_token", "token_type", "expires_in", "scope"}


async def test_userinfo_tells_what_scope_and_claims_parameter_ask_for(shop: Workbench) -> None:
    answer = await redeem(shop, await a_code(shop))
    alice = shop.alice
    assert await userinfo(shop, answer.access) == {
        "sub": alice.subject,
        "email": "alice@example.com",
        "email_verified": True,
        "preferred_username": "alice",
    }


async def test_a_pairwise_client_meets_one_name_everywhere_and_userinfo_knows_who_it_is(shop: Workbench) -> None:
    answer = await redeem(shop, await a_code(shop, known_as="pair-1"))
    assert answer.claims["sub"] == payload(answer.members["id_token"])["sub"] == "pair-1"
    assert (await userinfo(shop, answer.access))["sub"] == "pair-1"
    refreshed = await shop.ask("refresh_token", client="shop", refresh_token=answer.refresh)
    assert refreshed.claims["sub"] == "pair-1"
    await shop.core.accounts.disable("alice", actor="tests")
    await shop.follow()
    assert not await shop.active(answer.access)
    assert not await shop.active(refreshed.access)


async def test_an_id_token_is_no_access_token(shop: Workbench) -> None:
    answer = await redeem(shop, await a_code(shop))
    assert not await shop.active(answer.members["id_token"])


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA", "PS256"])
async def test_the_client_chooses_the_algorithm_of_its_id_tokens(shop: Workbench, alg: str) -> None:
    await shop.client(
        "chooser",
        grants=frozenset({"authorization_code"}),
        auth_methods=frozenset({AuthMethod.SECRET_BASIC}),
        redirect_uris=(REDIRECT,),
        relying_party=RelyingParty(id_token_signed_response_alg=alg),
    )
    code = await a_code(shop, client_id=ClientId("chooser"), family_id=FamilyId("of-chooser"))
    token = (await redeem(shop, code, client="chooser")).members["id_token"]
    header = json.loads(decoded(token.split(".")[0]))
    assert header["alg"] == alg
    assert header["kid"] == shop.core.keys.ring.signing[alg].kid


async def test_how_long_an_id_token_lives_is_the_policys_to_say(shop: Workbench) -> None:
    shop.offer("tokens: {id_token_ttl: 60}")
    identity = payload((await redeem(shop, await a_code(shop))).members["id_token"])
    assert identity["exp"] - identity["iat"] == 60


async def test_what_was_taken_from_the_client_meanwhile_is_not_given_and_this_server_stays(shop: Workbench) -> None:
    code = await a_code(shop)

    def less(old: ClientMetadata) -> ClientMetadata:
        return replace(old, scopes=frozenset({"openid", "offline_access"}), audiences=(OTHER_API,))

    await shop.core.clients.update("shop", less, "tests")
    await shop.follow()
    answer = await redeem(shop, code)
    assert (answer.claims["aud"], answer.members["scope"]) == (ISSUER, "openid")
    with refused(Rule.RESOURCE_NOT_ALLOWED):
        await redeem(shop, await a_code(shop), resource=API)


async def cut_shop(bench: Workbench) -> None:
    """As another instance cuts the client off: this one's replica has not heard of it yet."""
    cut = Cut(CutKind.CLIENT, "shop", "stolen", until_now=True, expires_at=bench.clock.now() + timedelta(hours=25))
    await bench.another_core().revocations.cut([cut], "tests")


async def test_a_code_from_before_its_clients_cut_gives_nothing_whatever_the_replica_knows(shop: Workbench) -> None:
    code = await a_code(shop)
    shop.clock.advance(1)
    await cut_shop(shop)
    with refused(Rule.CODE_CUT):
        await redeem(shop, code, after=timedelta(seconds=2))
    assert shop.record.tables.families == {}


async def test_what_a_code_from_before_the_cut_gave_where_nobody_knew_of_it_ends_with_the_access_token(
    shop: Workbench,
) -> None:
    """Its client comes from the cache: the family is of the instant of the code, which no cut forgets."""
    with refused(Rule.CODE_UNKNOWN):
        await redeem(shop, "acc_" + "A" * 43)
    code = await a_code(shop)
    shop.clock.advance(1)
    await cut_shop(shop)
    token = (await redeem(shop, code, after=timedelta(seconds=2))).refresh
    for seconds in (1, 86_400, 86_400):
        shop.clock.advance(seconds)
        await shop.follow()
        with refused(Rule.REFRESH_FAMILY_ENDED):
            await shop.refresh(token, client="shop")
