"""Where the keys are: believed only from the issuer itself, over a connection that nobody can turn."""

import json
from typing import Any

import pytest

from authcenter.sdk.discovery import Discovery, documents_of, read_jwks_uri
from authcenter.sdk.fetching import Fetch, Fetched, FetchFailed
from tests.unit.sdk.published import JWKS, METADATA, PublishedByIssuer
from tests.workbench import ISSUER

BAD_ISSUERS = [
    "",
    "auth.example",
    "http://auth.example",
    "http://127.0.0.1.example",
    "http://10.0.0.1",
    "ftp://auth.example",
    "https://",
    "https://auth.example?x",
    "https://auth.example/#x",
    "https://user:word@auth.example",
    "https://auth.example:x",
    "https://auth.example:99999",
    "https://[auth.example",
    None,
    ["https://auth.example"],
]


@pytest.mark.parametrize("issuer", BAD_ISSUERS)
def test_an_issuer_whose_keys_could_be_exchanged_on_their_way_is_refused(issuer: Any) -> None:
    with pytest.raises(ValueError):
        Discovery(issuer, PublishedByIssuer())


@pytest.mark.parametrize(
    "issuer", ["https://auth.example", "http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080"]
)
def test_https_or_this_machine(issuer: str) -> None:
    assert documents_of(issuer)[0] == f"{issuer}/.well-known/openid-configuration"


def test_the_well_known_part_stands_where_each_specification_puts_it() -> None:
    assert documents_of("https://example.com/tenant/") == (
        "https://example.com/tenant/.well-known/openid-configuration",
        "https://example.com/.well-known/oauth-authorization-server/tenant",
        "https://example.com/tenant/.well-known/oauth-authorization-server",
    )


REFUSED = [
    pytest.param({"issuer": "https://evil.example", "jwks_uri": JWKS}, id="another issuer"),
    pytest.param({"issuer": f"{ISSUER}/", "jwks_uri": JWKS}, id="the issuer with a slash"),
    pytest.param({"issuer": ISSUER.upper(), "jwks_uri": JWKS}, id="the issuer in another case"),
    pytest.param({"issuer": [ISSUER], "jwks_uri": JWKS}, id="issuer an array"),
    pytest.param({"jwks_uri": JWKS}, id="no issuer"),
    pytest.param({"issuer": ISSUER}, id="no jwks_uri"),
    pytest.param({"issuer": ISSUER, "jwks_uri": 1}, id="jwks_uri a number"),
    pytest.param({"issuer": ISSUER, "jwks_uri": ""}, id="jwks_uri empty"),
    pytest.param({"issuer": ISSUER, "jwks_uri": "/keys"}, id="a relative jwks_uri"),
    pytest.param({"issuer": ISSUER, "jwks_uri": "http://auth.example/keys"}, id="without TLS"),
    pytest.param({"issuer": ISSUER, "jwks_uri": "http://127.0.0.1/keys"}, id="another origin on this machine"),
    pytest.param({"issuer": ISSUER, "jwks_uri": "file:///etc/keys"}, id="a file"),
    pytest.param({"issuer": ISSUER, "jwks_uri": "https://user@auth.example/keys"}, id="with a user"),
    pytest.param({"issuer": ISSUER, "jwks_uri": "https://auth.example:x/keys"}, id="a port that is none"),
    pytest.param({"issuer": ISSUER, "jwks_uri": "https://[x/keys"}, id="an address that is none"),
]


@pytest.mark.parametrize("metadata", REFUSED)
def test_metadata_that_must_not_be_followed(metadata: dict[str, Any]) -> None:
    with pytest.raises(FetchFailed):
        read_jwks_uri(json.dumps(metadata).encode(), ISSUER)


@pytest.mark.parametrize("document", [b"", b"[]", b"\xff", b'{"issuer": 1, "issuer": 2}', b"[" * 9_999])
def test_metadata_that_is_none(document: bytes) -> None:
    with pytest.raises(FetchFailed):
        read_jwks_uri(document, ISSUER)


def test_keys_may_lie_elsewhere_over_tls_and_on_the_issuers_own_origin_without() -> None:
    elsewhere = json.dumps({"issuer": ISSUER, "jwks_uri": "https://keys.example/set"}).encode()
    assert read_jwks_uri(elsewhere, ISSUER) == "https://keys.example/set"
    here = json.dumps({"issuer": "http://127.0.0.1:8080", "jwks_uri": "http://127.0.0.1:8080/set"}).encode()
    assert read_jwks_uri(here, "http://127.0.0.1:8080") == "http://127.0.0.1:8080/set"


async def test_what_was_found_is_kept_until_it_is_forgotten() -> None:
    issuer = PublishedByIssuer()
    discovery = Discovery(ISSUER, issuer)
    assert [await discovery.jwks_uri(), await discovery.jwks_uri()] == [JWKS, JWKS]
    assert issuer.asked == [METADATA]
    discovery.forget()
    await discovery.jwks_uri()
    assert issuer.asked == [METADATA, METADATA]


class OnlyAt(Fetch):
    """Answers at one place."""

    def __init__(self, place: str) -> None:
        self.place = place

    async def get(self, url: str, etag: str = "") -> Fetched:
        if url != self.place:
            return Fetched(404)
        return Fetched(200, json.dumps({"issuer": ISSUER, "jwks_uri": JWKS}).encode())


async def test_a_server_of_oauth_alone_is_found_too() -> None:
    assert await Discovery(ISSUER, OnlyAt(f"{ISSUER}/.well-known/oauth-authorization-server")).jwks_uri() == JWKS
    with pytest.raises(FetchFailed, match="publishes no metadata"):
        await Discovery(ISSUER, OnlyAt(f"{ISSUER}/elsewhere")).jwks_uri()
