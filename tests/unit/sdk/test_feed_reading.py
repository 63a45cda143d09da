"""Documents of the feed: only those that the issuer made are read."""

import json
from typing import Any

import pytest

from authcenter.core.base64url import decode
from authcenter.sdk.feed_document import DOCUMENT_TYPE, DocumentKind
from authcenter.sdk.feed_reading import FeedRejected, read_document
from authcenter.sdk.verification import KeysUnavailable
from authcenter.tokens.feed import SignedEntries
from tests.forgery import ABSENT, signed
from tests.unit.sdk.known_keys import RingKeys
from tests.workbench import ISSUER, Workbench


async def snapshot(bench: Workbench) -> SignedEntries:
    await bench.revoke((await bench.issue()).access)
    return await bench.service.feed.snapshot()


async def test_what_the_issuer_signed_is_read(bench: Workbench) -> None:
    made = await snapshot(bench)
    keys = RingKeys(bench)
    read = await read_document(made.signed, made.packed, ISSUER, keys)
    assert (read.kind, read.cursor, read.width, len(read.entries)) == (DocumentKind.SNAPSHOT, str(made.cursor), 8, 1)
    assert read.size == len(made.packed)
    assert read.as_of <= read.issued_at == bench.clock.seconds()
    await read_document(made.signed, made.packed, ISSUER, keys)
    assert keys.asked == 1


def changed(bench: Workbench, made: SignedEntries, claims: dict[str, Any], header: dict[str, Any]) -> str:
    """The same document, signed by the issuer's own key, but for some members."""
    head, payload, _ = (decode(part) for part in made.signed.split("."))

    def altered(data: bytes, changes: dict[str, Any]) -> bytes:
        members = {**json.loads(data), **changes}
        return json.dumps({name: value for name, value in members.items() if value is not ABSENT}).encode()

    return signed(bench.signer, altered(head, header), altered(payload, claims))


CHANGES = [
    pytest.param({"iss": "https://other.example"}, {}, "issued by", id="another issuer"),
    pytest.param({"sha256": "x"}, {}, "not those that were signed", id="other entries"),
    pytest.param({"iat": ABSENT}, {}, "iat", id="no iat"),
    pytest.param({"as_of": True}, {}, "as_of", id="as_of that is none"),
    pytest.param({"kind": "more"}, {}, "not understood", id="unknown kind"),
    pytest.param({"kind": ["delta"]}, {}, "not understood", id="kind that is a list"),
    pytest.param({"cursor": "a\r\nb"}, {}, "cursor", id="cursor with a line break"),
    pytest.param({"cursor": ""}, {}, "cursor", id="empty cursor"),
    pytest.param({"kind": "delta"}, {}, "after", id="delta after nothing"),
    pytest.param({"short_hash_bytes": 3}, {}, "short_hash_bytes", id="too short hashes"),
    pytest.param({"short_hash_bytes": True}, {}, "short_hash_bytes", id="hashes of truth"),
    pytest.param({"short_hash_bytes": 16}, {}, "not understood", id="hashes of another length"),
    pytest.param({}, {"typ": "at+jwt"}, "typ", id="an access token's type"),
    pytest.param({}, {"typ": f"application/{DOCUMENT_TYPE}"}, "typ", id="another spelling of the type"),
    pytest.param({}, {"alg": "EdDSA"}, "alg", id="another algorithm"),
    pytest.param({}, {"alg": "none"}, "alg", id="no algorithm"),
    pytest.param({}, {"kid": "unknown"}, "no key", id="unknown key"),
    pytest.param({}, {"kid": ABSENT}, "no kid", id="no key named"),
    pytest.param({}, {"crit": ["x"]}, "malformed", id="crit"),
]


@pytest.mark.parametrize(("claims", "header", "why"), CHANGES)
async def test_anything_else_is_rejected(
    bench: Workbench, claims: dict[str, Any], header: dict[str, Any], why: str
) -> None:
    made = await snapshot(bench)
    with pytest.raises(FeedRejected, match=why):
        await read_document(changed(bench, made, claims, header), made.packed, ISSUER, RingKeys(bench))


async def test_altered_entries_and_signatures_are_rejected(bench: Workbench) -> None:
    made = await snapshot(bench)
    for packed in (made.packed[:-1] + bytes([made.packed[-1] ^ 1]), made.packed + b"\0", b""):
        with pytest.raises(FeedRejected, match="not those that were signed"):
            await read_document(made.signed, packed, ISSUER, RingKeys(bench))
    bench.clock.advance(1)
    another = await bench.service.feed.snapshot()
    foreign = made.signed.rpartition(".")[0] + "." + another.signed.rpartition(".")[2]
    for document in (foreign, made.signed[:-4], "x", "a.b.c", ""):
        with pytest.raises(FeedRejected):
            await read_document(document, made.packed, ISSUER, RingKeys(bench))


async def test_an_access_token_is_no_document(bench: Workbench) -> None:
    with pytest.raises(FeedRejected, match="typ"):
        await read_document((await bench.issue()).access, b"", ISSUER, RingKeys(bench))


async def test_a_document_is_no_access_token(bench: Workbench) -> None:
    assert not await bench.active((await snapshot(bench)).signed)


async def test_without_keys_nothing_is_read(bench: Workbench) -> None:
    made = await snapshot(bench)
    with pytest.raises(KeysUnavailable):
        await read_document(made.signed, made.packed, ISSUER, RingKeys(bench, reachable=False))
