"""Checking access tokens for one resource server: each check by a token made to fail it alone."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from authcenter.core.cut import Cut, CutKind
from authcenter.core.errors import Reason, RevocationsUnknown, TokenRejected
from authcenter.core.rules import Rule
from authcenter.core.token import AccessToken
from authcenter.jose.algorithms import Alg
from authcenter.sdk.replica import RevocationReplica
from authcenter.sdk.revocation import RevocationView
from authcenter.sdk.verification import InsufficientScope, KeysUnavailable
from authcenter.sdk.verifier import TokenVerifier
from tests.forgery import ABSENT, GOOD, forged, header_of, signed, twin
from tests.unit.sdk.published import signing_key
from tests.unit.sdk.set_keys import SetKeys
from tests.unit.sdk.watching import Watching
from tests.workbench import API, ISSUER, OTHER_API, START, SetClock, rejected

NOW = int(START.timestamp())
LEEWAY = 30
CLIENT = str(GOOD["client_id"])


class Bench:
    """A verifier and all that it stands on."""

    def __init__(self, audience: str = API, **options: Any) -> None:
        self.key = signing_key()
        self.keys = SetKeys(self.key, signing_key(Alg.RS256), signing_key(Alg.PS256), signing_key(Alg.EDDSA))
        self.clock, self.watching = SetClock(), Watching()
        self.revocations = RevocationReplica(8)
        given = {"revocations": self.revocations, **options}
        self.verifier = TokenVerifier(ISSUER, audience, self.keys, observer=self.watching, clock=self.clock, **given)


@pytest.fixture
def at() -> Bench:
    return Bench()


NOT_ITS_OWN = [
    pytest.param(OTHER_API, id="another API's"),
    pytest.param([OTHER_API], id="another API's, in an array"),
    pytest.param([OTHER_API, "urn:c"], id="several, none this one"),
    pytest.param(CLIENT, id="the caller's client id"),
    pytest.param([CLIENT], id="the caller's client id, in an array"),
    pytest.param(ISSUER, id="the issuer"),
    pytest.param("", id="empty"),
    pytest.param([], id="an empty array"),
    pytest.param([""], id="an empty string in an array"),
    pytest.param([API, ""], id="this one and an empty string"),
    pytest.param([API, None], id="this one and null"),
    pytest.param([API, 1], id="this one and a number"),
    pytest.param([[API]], id="an array in an array"),
    pytest.param({"0": API}, id="an object"),
    pytest.param({API: True}, id="an object that has it as a member"),
    pytest.param(1, id="a number"),
    pytest.param(True, id="true"),
    pytest.param(None, id="null"),
    pytest.param(ABSENT, id="absent"),
    pytest.param("*", id="an asterisk"),
    pytest.param(API + "/", id="with a slash behind"),
    pytest.param(API + "/admin", id="of which this one is a prefix"),
    pytest.param(API[:-1], id="a prefix of this one"),
    pytest.param(API.upper(), id="in capitals"),
    pytest.param(f"{API} {OTHER_API}", id="this one in a list of words"),
    pytest.param(f" {API}", id="with a blank before"),
    pytest.param(API + "\x00", id="with a NUL behind"),
]


@pytest.mark.parametrize("audience", NOT_ITS_OWN)
async def test_a_token_for_another_audience_is_refused(at: Bench, audience: Any) -> None:
    with rejected(Rule.TOKEN_AUDIENCE, Reason.AUDIENCE):
        await at.verifier.verify(forged(at.key, {"aud": audience}))
    assert at.watching.reasons == [Reason.AUDIENCE]


@pytest.mark.parametrize("first", [API, OTHER_API])
@pytest.mark.parametrize("second", [API, OTHER_API])
async def test_an_audience_that_stands_twice_is_refused(at: Bench, first: str, second: str) -> None:
    payload = json.dumps({**GOOD, "aud": first}).encode()[:-1] + f',"aud":"{second}"}}'.encode()
    with rejected(Rule.TOKEN_AUDIENCE, Reason.AUDIENCE):
        await at.verifier.verify(signed(at.key, header_of(at.key), payload))


async def test_any_other_member_that_stands_twice_is_malformed(at: Bench) -> None:
    payload = json.dumps(GOOD).encode()[:-1] + b',"scope":"admin"}'
    with rejected(Rule.TOKEN_MALFORMED, Reason.MALFORMED):
        await at.verifier.verify(signed(at.key, header_of(at.key), payload))


@pytest.mark.parametrize("audience", [API, [API], [OTHER_API, API]])
async def test_a_token_that_names_this_audience_holds(at: Bench, audience: Any) -> None:
    assert API in (await at.verifier.verify(forged(at.key, {"aud": audience}))).audience


@pytest.mark.parametrize("audience", ["", " ", None, 0, 1, True, [API], (API,), {API}, b"https://api.example"])
def test_a_resource_server_without_an_audience_of_its_own_cannot_be_made(audience: Any) -> None:
    with pytest.raises(ValueError, match="audience must be"):
        TokenVerifier(ISSUER, audience, SetKeys())


@pytest.mark.parametrize("issuer", ["", " ", None, 1, [ISSUER]])
def test_an_issuer_is_needed(issuer: Any) -> None:
    with pytest.raises(ValueError, match="issuer must be"):
        TokenVerifier(issuer, API, SetKeys())


@pytest.mark.parametrize("leeway", [-1, 301, 1.5, True, "30", None])
def test_a_leeway_is_a_few_seconds(leeway: Any) -> None:
    with pytest.raises(ValueError, match="leeway must be"):
        TokenVerifier(ISSUER, API, SetKeys(), leeway=leeway)


def test_some_token_must_be_remembered() -> None:
    with pytest.raises(ValueError, match="remembered"):
        TokenVerifier(ISSUER, API, SetKeys(), remembered=0)


def row(name: str, change: dict[str, Any], rule: Rule, reason: Reason) -> Any:
    return pytest.param(change, rule, reason, id=name)


CLAIMS = [
    row("expired, the leeway included", {"exp": NOW - LEEWAY}, Rule.TOKEN_EXPIRED, Reason.EXPIRED),
    row("exp absent", {"exp": ABSENT}, Rule.TOKEN_MALFORMED, Reason.MALFORMED),
    row("exp a string", {"exp": str(NOW + 60)}, Rule.TOKEN_MALFORMED, Reason.MALFORMED),
    row("exp beyond all numbers", {"exp": 1 << 60}, Rule.TOKEN_MALFORMED, Reason.MALFORMED),
    row("not valid yet", {"nbf": NOW + LEEWAY + 1}, Rule.TOKEN_NOT_YET_VALID, Reason.NOT_YET_VALID),
    row("issued in the future", {"iat": NOW + LEEWAY + 1}, Rule.TOKEN_ISSUED_IN_FUTURE, Reason.ISSUED_IN_FUTURE),
    row("another issuer", {"iss": "https://evil.example"}, Rule.TOKEN_ISSUER, Reason.ISSUER),
    row("the issuer with a slash", {"iss": ISSUER + "/"}, Rule.TOKEN_ISSUER, Reason.ISSUER),
    row("iss an array", {"iss": [ISSUER]}, Rule.TOKEN_MALFORMED, Reason.MALFORMED),
    row("no sub", {"sub": ABSENT}, Rule.TOKEN_MALFORMED, Reason.MALFORMED),
    row("bound to a key", {"cnf": {"jkt": "x"}}, Rule.TOKEN_BINDING, Reason.BINDING),
]


@pytest.mark.parametrize(("claims", "rule", "reason"), CLAIMS)
async def test_a_signed_token_whose_claims_do_not_hold(
    at: Bench, claims: dict[str, Any], rule: Rule, reason: Reason
) -> None:
    with rejected(rule, reason):
        await at.verifier.verify(forged(at.key, claims))
    assert at.watching.reasons == [reason]


BORDERS = [
    pytest.param({"exp": NOW - LEEWAY + 1}, id="expired, a second within the leeway"),
    pytest.param({"nbf": NOW + LEEWAY}, id="nbf at the leeway"),
    pytest.param({"iat": NOW + LEEWAY}, id="iat at the leeway"),
]


@pytest.mark.parametrize("claims", BORDERS)
async def test_a_token_just_inside_the_border_holds(at: Bench, claims: dict[str, Any]) -> None:
    assert (await at.verifier.verify(forged(at.key, claims))).client_id == CLIENT


HEADERS = [
    row("an ID token", {"typ": "JWT"}, Rule.TOKEN_TYPE, Reason.TYPE),
    row("a logout token", {"typ": "logout+jwt"}, Rule.TOKEN_TYPE, Reason.TYPE),
    row("an introspection answer", {"typ": "token-introspection+jwt"}, Rule.TOKEN_TYPE, Reason.TYPE),
    row("a status list", {"typ": "statuslist+jwt"}, Rule.TOKEN_TYPE, Reason.TYPE),
    row("a DPoP proof", {"typ": "dpop+jwt"}, Rule.TOKEN_TYPE, Reason.TYPE),
    row("a client assertion", {"typ": "client-authentication+jwt"}, Rule.TOKEN_TYPE, Reason.TYPE),
    row("no typ", {"typ": ABSENT}, Rule.TOKEN_TYPE, Reason.TYPE),
    row("unknown kid", {"kid": "nobody"}, Rule.TOKEN_KID, Reason.KID),
    row("no kid", {"kid": ABSENT}, Rule.TOKEN_KID, Reason.KID),
    row("alg none", {"alg": "none"}, Rule.TOKEN_ALGORITHM, Reason.ALGORITHM),
    row("alg of another key", {"alg": "RS256"}, Rule.TOKEN_ALGORITHM, Reason.ALGORITHM),
    row("HMAC", {"alg": "HS256"}, Rule.TOKEN_ALGORITHM, Reason.ALGORITHM),
    row("crit", {"crit": ["exp"]}, Rule.TOKEN_MALFORMED, Reason.MALFORMED),
]


@pytest.mark.parametrize(("header", "rule", "reason"), HEADERS)
async def test_a_signed_token_whose_header_does_not_hold(
    at: Bench, header: dict[str, Any], rule: Rule, reason: Reason
) -> None:
    with rejected(rule, reason):
        await at.verifier.verify(forged(at.key, header=header))


TEXTS = [
    pytest.param(lambda token: "", Reason.MALFORMED, id="empty"),
    pytest.param(lambda token: "acr_selector.verifier", Reason.MALFORMED, id="a refresh token"),
    pytest.param(lambda token: token + "=", Reason.MALFORMED, id="padded"),
    pytest.param(lambda token: token + " ", Reason.MALFORMED, id="a blank behind"),
    pytest.param(lambda token: f"Bearer {token}", Reason.MALFORMED, id="with its scheme"),
    pytest.param(lambda token: token + "A" * 16_384, Reason.MALFORMED, id="oversized"),
    pytest.param(lambda token: token[:-4] + "AAAA", Reason.SIGNATURE, id="another signature"),
    pytest.param(lambda token: token.rpartition(".")[0] + ".", Reason.SIGNATURE, id="no signature"),
]


@pytest.mark.parametrize(("change", "reason"), TEXTS)
async def test_a_token_respelled_is_refused_also_where_the_good_one_is_remembered(
    at: Bench, change: Any, reason: Reason
) -> None:
    token = forged(at.key)
    assert await at.verifier.verify(token)
    with pytest.raises(TokenRejected) as caught:
        await at.verifier.verify(change(token))
    assert caught.value.reason is reason
    assert await at.verifier.verify(token)


@pytest.mark.parametrize("alg", Alg)
async def test_a_key_of_each_algorithm_verifies_and_none_for_another(at: Bench, alg: Alg) -> None:
    assert await at.verifier.verify(forged(signing_key(alg)))
    for other in set(Alg) - {alg}:
        with pytest.raises(TokenRejected):
            await at.verifier.verify(forged(signing_key(other), header={"kid": signing_key(alg).kid}))


async def test_scopes_are_all_needed_whether_or_not_the_token_was_seen(at: Bench) -> None:
    token = forged(at.key, {"scope": "read write"})
    for _ in range(2):
        assert await at.verifier.verify(token, "read", "write")
        with pytest.raises(InsufficientScope) as caught:
            await at.verifier.verify(token, "read", "admin", "re")
        assert (caught.value.required, caught.value.missing) == (("read", "admin", "re"), ("admin", "re"))
    assert at.watching.reasons == []


@pytest.mark.parametrize("scope", [ABSENT, "", 1, ["read"], "READ", "reader", "read\x00"])
async def test_a_scope_of_another_form_grants_nothing(at: Bench, scope: Any) -> None:
    with pytest.raises(InsufficientScope):
        await at.verifier.verify(forged(at.key, {"scope": scope}), "read")


BINDINGS = [
    pytest.param({"jkt": "a"}, {"jkt": "a"}, True, id="proven"),
    pytest.param({"x5t#S256": "a"}, {"x5t#S256": "a", "jkt": "b"}, True, id="proven, and more"),
    pytest.param({"jkt": "a"}, {}, False, id="nothing proven"),
    pytest.param({"jkt": "a"}, {"jkt": "b"}, False, id="another key"),
    pytest.param({"jkt": "a"}, {"jkt": ""}, False, id="an empty proof"),
    pytest.param({"jkt": ""}, {"jkt": ""}, False, id="bound to nothing"),
    pytest.param({"jkt": "a"}, {"x5t#S256": "a"}, False, id="by another method"),
    pytest.param({"jkt": "a", "x5t#S256": "b"}, {"jkt": "a"}, False, id="half of it proven"),
    pytest.param({"kid": "a"}, {"jkt": "a"}, False, id="an unknown method"),
    pytest.param({"jwk": {"kty": "EC"}}, {"jkt": "a"}, False, id="a key in full"),
    pytest.param({"jkt": None}, {}, False, id="null, as nothing proven is"),
    pytest.param({}, {"jkt": "a"}, False, id="an empty cnf"),
    pytest.param(None, {"jkt": "a"}, False, id="cnf null"),
    pytest.param("a", {"jkt": "a"}, False, id="cnf a string"),
    pytest.param(["jkt"], {"jkt": "a"}, False, id="cnf an array"),
    pytest.param(ABSENT, {"jkt": "a"}, True, id="not bound, something proven"),
]


@pytest.mark.parametrize(("cnf", "confirmed", "holds"), BINDINGS)
async def test_a_bound_token_holds_only_with_what_it_is_bound_to(
    at: Bench, cnf: Any, confirmed: Mapping[str, str], holds: bool
) -> None:
    token = forged(at.key, {"cnf": cnf})
    for _ in range(2):
        if holds:
            assert await at.verifier.verify(token, confirmed=confirmed)
            continue
        with rejected(Rule.TOKEN_BINDING, Reason.BINDING):
            await at.verifier.verify(token, confirmed=confirmed)


async def test_a_proof_is_asked_for_at_every_sight(at: Bench) -> None:
    token = forged(at.key, {"cnf": {"jkt": "a"}})
    assert await at.verifier.verify(token, confirmed={"jkt": "a"})
    with rejected(Rule.TOKEN_BINDING):
        await at.verifier.verify(token)


async def test_a_verdict_never_answers_for_another_input(at: Bench) -> None:
    """Tokens that share signing input, signature, jti or claims with one that was accepted or refused."""
    good = forged(at.key)
    head, payload, signature = good.split(".")
    other = forged(at.key, {"sub": "other"}).split(".")
    bad = [f"{head}.{payload}.{other[2]}", f"{head}.{other[1]}.{signature}", f"{other[0]}.{payload}.{other[2]}"]
    for first, second in [(bad, [good]), ([good], bad)] * 2:
        for token in (*first, *second):
            if token == good:
                assert await at.verifier.verify(token)
                continue
            with rejected(Rule.TOKEN_SIGNATURE):
                await at.verifier.verify(token)


async def test_what_was_refused_for_its_key_holds_once_the_key_is_known(at: Bench) -> None:
    late = signing_key(number=7)
    token = forged(late)
    with rejected(Rule.TOKEN_KID):
        await at.verifier.verify(token)
    at.keys.published = {**at.keys.known, late.kid: late}
    assert await at.verifier.verify(token)
    assert at.watching.reasons == [Reason.KID]


async def test_a_remembered_verdict_does_not_outlive_the_token(at: Bench) -> None:
    token = forged(at.key, {"exp": NOW + 60})
    assert await at.verifier.verify(token)
    at.clock.advance(60 + LEEWAY - 1)
    assert await at.verifier.verify(token)
    at.clock.advance(1)
    with rejected(Rule.TOKEN_EXPIRED):
        await at.verifier.verify(token)


async def test_a_remembered_verdict_does_not_outlive_the_key(at: Bench) -> None:
    token = forged(at.key)
    assert await at.verifier.verify(token)
    at.keys.published = {kid: key for kid, key in at.keys.known.items() if kid != at.key.kid}
    await at.keys.learn()
    with rejected(Rule.TOKEN_KID):
        await at.verifier.verify(token)


REVOKED = [
    pytest.param(lambda view, held: view.add_token(held.digest, datetime.fromtimestamp(held.expires_at, UTC)), id="it"),
    pytest.param(lambda view, held: view.add_cut(Cut(CutKind.FAMILY, held.family, "test")), id="its family"),
    pytest.param(lambda view, held: view.add_cut(Cut(CutKind.KEY, held.kid, "test")), id="its key"),
    pytest.param(lambda view, held: view.add_cut(Cut(CutKind.CLIENT, held.client_id, "test")), id="its client"),
]


@pytest.mark.parametrize("revoke", REVOKED)
@pytest.mark.parametrize("seen", [True, False])
async def test_a_remembered_verdict_does_not_outlive_a_revocation(at: Bench, revoke: Any, seen: bool) -> None:
    token = forged(at.key)
    held = Bench().verifier.check(token)
    if seen:
        await at.verifier.verify(token)
    revoke(at.revocations, held)
    for spelling in (token, twin(token)):
        for _ in range(2):
            with rejected(Rule.TOKEN_REVOKED, Reason.REVOKED):
                await at.verifier.verify(spelling)


async def test_another_tokens_revocation_costs_a_look_but_no_signature(at: Bench) -> None:
    token = forged(at.key)
    held = await at.verifier.verify(token)
    at.revocations.add_cut(Cut(CutKind.FAMILY, "another", "test"))
    at.keys.known.clear()  # whoever verified again would find no key
    assert await at.verifier.verify(token) is held


class Stale(RevocationView):
    """A view that knows too little from some moment on, as one that follows a feed and is closed."""

    version: object = 1

    def refusal(self, token: AccessToken) -> str | None:
        if self.version != 1:
            raise RevocationsUnknown("too old")
        return None


async def test_a_view_that_cannot_tell_any_more_is_asked_for_what_is_remembered_too() -> None:
    view = Stale()
    at = Bench(revocations=view)
    token = forged(at.key)
    assert await at.verifier.verify(token)
    view.version = 2
    for _ in range(2):
        with pytest.raises(RevocationsUnknown):
            await at.verifier.verify(token)
    view.version = 1
    assert await at.verifier.verify(token)


class Unsure(RevocationView):
    """A view that answers, and vouches for nothing that it has answered."""

    version = None

    def __init__(self) -> None:
        self.why: str | None = None

    def refusal(self, token: AccessToken) -> str | None:
        return self.why


async def test_nothing_is_remembered_of_a_view_that_vouches_for_nothing() -> None:
    view = Unsure()
    at = Bench(revocations=view)
    token = forged(at.key)
    for _ in range(2):
        assert await at.verifier.verify(token)
    view.why = "revoked meanwhile"
    with rejected(Rule.TOKEN_REVOKED):
        await at.verifier.verify(token)


async def test_only_so_many_are_remembered_the_oldest_go_first() -> None:
    at = Bench(remembered=3)
    tokens = [forged(at.key, {"jti": str(number)}) for number in range(5)]
    held = [at.verifier.check(token) for token in tokens]
    assert list(at.verifier._seen) == tokens[2:]
    assert at.verifier.check(tokens[-1]) is held[-1]
    assert at.verifier.check(tokens[0]) == held[0]


async def test_refused_tokens_are_not_remembered(at: Bench) -> None:
    for number in range(20):
        with pytest.raises(TokenRejected):
            await at.verifier.verify(forged(at.key, {"aud": OTHER_API, "jti": str(number)}))
    assert not at.verifier._seen


async def test_keys_that_were_never_told_are_not_the_tokens_fault() -> None:
    at = Bench()
    at.keys.known, at.keys.reachable = {}, False
    token = forged(at.key)
    for _ in range(3):
        with pytest.raises(KeysUnavailable):
            await at.verifier.verify(token)
    with pytest.raises(KeysUnavailable):
        at.verifier.check(token)
    at.keys.reachable = True
    assert await at.verifier.verify(token)
    assert at.watching.reasons == []


async def test_a_token_that_is_none_asks_nobody_for_keys(at: Bench) -> None:
    for token in ("x.y.z", forged(at.key, header={"typ": "JWT", "kid": "nobody"})):
        with pytest.raises(TokenRejected):
            await at.verifier.verify(token)
    assert at.keys.learnt == 0


async def test_a_source_that_always_claims_news_is_not_asked_forever(at: Bench, monkeypatch: Any) -> None:
    async def learn() -> bool:
        at.keys.learnt += 1
        return True

    monkeypatch.setattr(at.keys, "learn", learn)
    with rejected(Rule.TOKEN_KID):
        await at.verifier.verify(forged(at.key, header={"kid": "nobody"}))
    assert at.keys.learnt == 3
    assert at.watching.reasons == [Reason.KID]


def test_the_token_comes_back_typed(at: Bench) -> None:
    held = at.verifier.check(forged(at.key, {"sub": "usr_alice", "sid": "s", "aud": [API, OTHER_API]}))
    assert (held.subject, held.client_id, held.session, held.family) == ("usr_alice", CLIENT, "s", "family-1")
    assert held.audience == (API, OTHER_API)
    assert held.scopes == {"read"}
    assert replace(held) == held
