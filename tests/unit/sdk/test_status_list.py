"""Token Status Lists as the SDK reads them: what is taken, what is refused, and how often the server is asked."""

import asyncio
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authcenter.core import base64url
from authcenter.core.errors import Reason, RevocationsUnknown
from authcenter.core.rules import Rule
from authcenter.core.token import AccessToken
from authcenter.jose.algorithms import Alg
from authcenter.jose.status_list import STATUS_LIST_TYPE, decode_bits, encode_bits, status_at
from authcenter.sdk.fetching import Fetch, Fetched, FetchFailed
from authcenter.sdk.signed_document import DocumentRejected
from authcenter.sdk.status_list import MOST_BYTES, read_status_list
from authcenter.sdk.status_lists import StatusLists
from authcenter.sdk.status_verification import StatusVerification
from authcenter.sdk.verifier import TokenVerifier
from tests.forgery import ABSENT, forged, signed
from tests.unit.sdk.published import SetTime, signing_key
from tests.unit.sdk.set_keys import SetKeys
from tests.unit.sdk.watching import Watching
from tests.workbench import API, ISSUER, START, SetClock, rejected

URI = f"{ISSUER}/oauth/status/a"
NOW = int(START.timestamp())
REVOKED, PLACES = 5, 64
TTL, LIFETIME = 10, 3600


@dataclass
class Published(Fetch):
    """Attributes:
    claims: Laid over those of a good list. ``header`` likewise.
    gate: While it is not set, no answer comes.
    """

    clock: SetClock
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    refused: tuple[int, ...] = (REVOKED,)
    body: bytes | None = None
    down: bool = False
    etags: list[str] = field(default_factory=list)
    gate: asyncio.Event | None = None

    async def get(self, url: str, etag: str = "") -> Fetched:
        self.etags.append(etag)
        if self.gate is not None:
            await self.gate.wait()
        await asyncio.sleep(0)
        if self.down:
            raise FetchFailed("gone")
        body = self.body or self.made()
        tag = f'"{hash(body)}"'
        return Fetched(304, etag=tag) if etag == tag else Fetched(200, body, tag)

    def made(self) -> bytes:
        key, now = signing_key(), int(self.clock.seconds())
        listed = {"bits": 1, "lst": encode_bits(self.refused, PLACES)}
        claims = {"iss": ISSUER, "sub": URI, "iat": now, "exp": now + LIFETIME, "ttl": TTL, "status_list": listed}
        header = {"alg": "ES256", "kid": key.kid, "typ": STATUS_LIST_TYPE, **self.header}
        return signed(key, _json(header), _json({**claims, **self.claims})).encode()


class Bench:
    """A verifier that looks tokens up in the list."""

    def __init__(self) -> None:
        self.clock, self.time, self.watching = SetClock(), SetTime(), Watching()
        self.key, self.keys, self.published = signing_key(), SetKeys(signing_key()), Published(self.clock)
        self.lists = StatusLists(
            ISSUER,
            self.keys,
            self.published,
            clock=self.clock,
            monotonic=self.time,
            uniform=lambda low, high: (low + high) / 2,
        )
        verifier = TokenVerifier(ISSUER, API, self.keys, clock=self.clock)
        self.verification = StatusVerification(verifier, self.lists, self.watching)

    def token(self, status: Any = ABSENT, **claims: Any) -> str:
        return forged(self.key, {"status": status, "exp": NOW + 2 * LIFETIME, **claims})

    def at(self, index: int) -> str:
        return self.token({"status_list": {"idx": index, "uri": URI}})

    async def verify(self, token: str) -> AccessToken:
        return await self.verification.verify(token)

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.time.at += seconds

    @property
    def fetches(self) -> int:
        return len(self.published.etags)


@pytest.fixture
def at() -> Bench:
    return Bench()


async def test_a_token_whose_bit_is_set_is_refused_and_all_others_hold(at: Bench) -> None:
    for _ in range(2):
        with rejected(Rule.TOKEN_REVOKED, Reason.REVOKED):
            await at.verify(at.at(REVOKED))
        assert await at.verify(at.at(REVOKED + 1))
    assert at.fetches == 1
    assert at.watching.reasons == [Reason.REVOKED] * 2


async def test_a_token_that_names_no_list_holds_and_nobody_is_asked(at: Bench) -> None:
    assert await at.verify(at.token())
    assert at.fetches == 0


async def test_the_verification_comes_first(at: Bench) -> None:
    with rejected(Rule.TOKEN_AUDIENCE):
        await at.verify(at.token({"status_list": {"idx": 0, "uri": URI}}, aud="https://other.example"))
    assert at.fetches == 0
    assert (at.verification.issuer, at.verification.audience) == (ISSUER, API)


NO_PLACES = [
    pytest.param("x", id="a string"),
    pytest.param({}, id="no list"),
    pytest.param({"status_list": []}, id="an array"),
    pytest.param({"status_list": {"uri": URI}}, id="no place"),
    pytest.param({"status_list": {"idx": -1, "uri": URI}}, id="a negative place"),
    pytest.param({"status_list": {"idx": True, "uri": URI}}, id="no number"),
    pytest.param({"status_list": {"idx": "1", "uri": URI}}, id="a string for a place"),
    pytest.param({"status_list": {"idx": 1, "uri": 1}}, id="no uri"),
]


@pytest.mark.parametrize("status", NO_PLACES)
async def test_a_status_that_is_not_understood_is_no_licence(at: Bench, status: Any) -> None:
    with rejected(Rule.TOKEN_MALFORMED, Reason.MALFORMED):
        await at.verify(at.token(status))
    assert at.watching.reasons == [Reason.MALFORMED]


def _listed(**members: Any) -> Callable[[Published], None]:
    def change(published: Published) -> None:
        published.claims = {"status_list": {"bits": 1, "lst": encode_bits((), PLACES), **members}}

    return change


def _claim(name: str, value: Any) -> Callable[[Published], None]:
    return lambda published: published.claims.update({name: value})


def _head(name: str, value: Any) -> Callable[[Published], None]:
    return lambda published: published.header.update({name: value})


def _body(body: bytes) -> Callable[[Published], None]:
    return lambda published: setattr(published, "body", body)


_BOMB = base64url.encode(zlib.compress(bytes(50 * MOST_BYTES), 9))
BROKEN = [
    pytest.param(_head("typ", "at+jwt"), id="an access token"),
    pytest.param(_head("typ", "JWT"), id="any JWT"),
    pytest.param(_head("kid", "nobody"), id="of a key that nobody knows"),
    pytest.param(_head("kid", None), id="without kid"),
    pytest.param(_head("alg", "none"), id="alg none"),
    pytest.param(_head("alg", "RS256"), id="another alg"),
    pytest.param(_head("crit", ["x"]), id="crit"),
    pytest.param(_claim("sub", f"{URI}b"), id="another list"),
    pytest.param(_claim("sub", None), id="no sub"),
    pytest.param(_claim("iss", "https://other.example"), id="another issuer's"),
    pytest.param(_claim("iat", None), id="no iat"),
    pytest.param(_claim("iat", True), id="iat of another type"),
    pytest.param(_claim("exp", NOW), id="expired"),
    pytest.param(_claim("exp", "x"), id="exp of another type"),
    pytest.param(_claim("ttl", -1), id="a negative ttl"),
    pytest.param(_claim("ttl", "10"), id="ttl of another type"),
    pytest.param(_claim("status_list", None), id="no list"),
    pytest.param(_listed(bits=3), id="three bits"),
    pytest.param(_listed(bits=True), id="bits of another type"),
    pytest.param(_listed(lst=1), id="lst of another type"),
    pytest.param(_listed(lst="!"), id="not base64url"),
    pytest.param(_listed(lst=base64url.encode(b"x" * 40)), id="not compressed"),
    pytest.param(_listed(lst=base64url.encode(zlib.compress(bytes(8))[:-2])), id="cut off"),
    pytest.param(_listed(lst=base64url.encode(zlib.compress(bytes(8)) + b"x")), id="something behind it"),
    pytest.param(_listed(lst=_BOMB), id="a bomb"),
    pytest.param(_body(b"\xff.\xfe.\xfd"), id="no text"),
    pytest.param(_body(b"<html>"), id="a page"),
    pytest.param(lambda published: setattr(published, "down", True), id="nobody answers"),
]


@pytest.mark.parametrize("change", BROKEN)
async def test_without_a_list_that_holds_nobody_can_tell(at: Bench, change: Callable[[Published], None]) -> None:
    change(at.published)
    for _ in range(3):
        with pytest.raises(RevocationsUnknown):
            await at.verify(at.at(REVOKED + 1))
    assert at.fetches == 1, "the server is left alone for a while"


@pytest.mark.parametrize("change", BROKEN)
async def test_what_is_known_goes_on_answering_until_its_own_exp(
    at: Bench, change: Callable[[Published], None]
) -> None:
    assert await at.verify(at.at(REVOKED + 1))
    change(at.published)
    at.advance(TTL)
    with rejected(Rule.TOKEN_REVOKED):
        await at.verify(at.at(REVOKED))
    assert at.fetches == 2
    at.advance(LIFETIME - TTL - 1)
    assert await at.verify(at.at(REVOKED + 1))
    at.advance(1)
    with pytest.raises(RevocationsUnknown):
        await at.verify(at.at(REVOKED + 1))


async def test_a_forged_list_is_not_taken(at: Bench) -> None:
    at.keys.published = at.keys.known = {at.key.kid: _renamed(signing_key(Alg.ES256, 1), at.key.kid)}
    with pytest.raises(RevocationsUnknown):
        await at.lists.refusal(TokenVerifier(ISSUER, API, SetKeys(at.key), clock=at.clock).check(at.at(1)))


async def test_a_place_beyond_the_list_cannot_be_judged(at: Bench) -> None:
    with pytest.raises(RevocationsUnknown, match="no place"):
        await at.verify(at.at(PLACES))


@pytest.mark.parametrize(
    "uri", ["http://elsewhere.example/list", "file:///etc/passwd", "https://user@auth.example/x", "//x", "http://[", ""]
)
async def test_a_place_that_is_not_safe_is_not_asked(at: Bench, uri: str) -> None:
    with pytest.raises(RevocationsUnknown):
        await at.verify(at.token({"status_list": {"idx": 0, "uri": uri}}))
    assert at.fetches == 0


async def test_a_revocation_is_seen_when_the_copy_is_as_old_as_it_may_get(at: Bench) -> None:
    token = at.at(7)
    assert await at.verify(token)
    at.advance(TTL - 1)
    at.published.refused = (REVOKED, 7)
    assert await at.verify(token)
    at.advance(1)
    with rejected(Rule.TOKEN_REVOKED):
        await at.verify(token)
    assert at.fetches == 2


async def test_a_list_without_news_is_not_sent_again(at: Bench) -> None:
    at.published.body = sent = at.published.made()
    assert await at.verify(at.at(1))
    for _ in range(3):
        at.advance(TTL)
        assert await at.verify(at.at(1))
    assert at.published.etags == ["", *[f'"{hash(sent)}"'] * 3]


async def test_all_that_ask_at_the_same_time_share_one_fetch(at: Bench) -> None:
    at.published.gate = asyncio.Event()
    asking = [asyncio.create_task(at.verify(at.at(index))) for index in range(6, 56)]
    impatient = asking.pop()
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.sleep(0)
    at.published.gate.set()
    assert len(await asyncio.gather(*asking)) == 49
    assert at.fetches == 1


async def test_an_older_list_does_not_undo_a_newer_one(at: Bench) -> None:
    at.published.refused = ()
    older = at.published.made()
    at.advance(60)
    at.published.refused = (REVOKED,)
    with rejected(Rule.TOKEN_REVOKED):
        await at.verify(at.at(REVOKED))
    at.published.body = older
    at.advance(TTL)
    with rejected(Rule.TOKEN_REVOKED):
        await at.verify(at.at(REVOKED))
    assert at.fetches == 2


async def test_while_the_server_hangs_who_has_a_list_does_not_wait(at: Bench) -> None:
    assert await at.verify(at.at(1))
    at.published.down = True
    at.advance(TTL)
    assert await at.verify(at.at(1)), "one has waited, in vain"
    at.published.gate = asyncio.Event()
    at.advance(60)
    assert await at.verify(at.at(1))
    await asyncio.sleep(0)
    assert at.fetches == 3
    at.published.down = False
    at.published.refused = (1,)
    at.published.gate.set()
    for _ in range(10):
        await asyncio.sleep(0)
    with rejected(Rule.TOKEN_REVOKED):
        await at.verify(at.at(1))
    assert at.fetches == 3


async def test_closing_ends_what_is_under_way(at: Bench) -> None:
    at.published.gate = asyncio.Event()
    asking = asyncio.create_task(at.verify(at.at(1)))
    while not at.fetches:
        await asyncio.sleep(0)
    await at.lists.close()
    with pytest.raises(RevocationsUnknown):
        await asking


async def test_only_so_many_lists_are_kept(at: Bench) -> None:
    for number in range(600):
        with pytest.raises(RevocationsUnknown):
            await at.verify(at.token({"status_list": {"idx": 0, "uri": f"{URI}{number}"}}))
    assert len(at.lists._lines) <= 256


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=4,
)
_MEMBERS = ("iss", "sub", "iat", "exp", "ttl", "status_list")


@given(
    st.dictionaries(st.sampled_from(_MEMBERS), _JSON, max_size=3),
    st.dictionaries(st.sampled_from(("bits", "lst")), _JSON, max_size=2),
)
async def test_whatever_a_list_says_it_is_taken_or_rejected(claims: dict[str, Any], listed: dict[str, Any]) -> None:
    good = {"bits": 1, "lst": encode_bits((), PLACES)}
    made = {"sub": URI, "iat": NOW, "status_list": {**good, **listed}, **claims}
    header = {"alg": "ES256", "kid": signing_key().kid, "typ": STATUS_LIST_TYPE}
    document = signed(signing_key(), _json(header), _json(made)).encode()
    try:
        found = await read_status_list(document, URI, ISSUER, SetKeys(signing_key()), NOW)
    except DocumentRejected:
        return
    assert 1 <= found.ttl <= 600
    assert found.expires_at > NOW
    assert found.status(0) == 0


@given(st.binary(max_size=200))
async def test_whatever_is_fetched_is_taken_or_rejected(document: bytes) -> None:
    with pytest.raises(DocumentRejected):
        await read_status_list(document, URI, ISSUER, SetKeys(signing_key()), NOW)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_places_are_read_as_the_draft_packs_them(bits: int) -> None:
    values = [(number * 7 + 3) % (1 << bits) for number in range(64)]
    places = bytearray(64 * bits // 8)
    for index, value in enumerate(values):
        places[index * bits // 8] |= value << (index * bits % 8)
    assert [status_at(bytes(places), bits, index) for index in range(64)] == values
    with pytest.raises(IndexError):
        status_at(bytes(places), bits, 64)


def test_the_example_of_the_draft_is_read() -> None:
    # §4.1: 0xB9 0xA3, from the least significant bit of the first byte on.
    places = decode_bits("eNrbuRgAAhcBXQ", 16)
    assert [status_at(places, 1, index) for index in range(16)] == [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]


def test_a_list_at_the_limit_is_unfolded_and_one_byte_more_is_not() -> None:
    assert len(decode_bits(encode_bits((), 8 * 100), 100)) == 100
    with pytest.raises(ValueError, match="more than"):
        decode_bits(encode_bits((), 8 * 101), 100)


def _renamed(key: Any, kid: str) -> Any:
    class Renamed:
        def __init__(self) -> None:
            self.kid, self.alg = kid, key.alg.value

        def verify(self, signature: bytes, data: bytes) -> None:
            key.verify(signature, data)

    return Renamed()


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode()
