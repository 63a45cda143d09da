"""What a client's metadata must look like, alone and together."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from authcenter.clients.entitlements import ClientMetadata
from authcenter.core.client import AuthMethod, Lifetimes, Profile
from authcenter.core.errors import InvalidInput
from authcenter.core.relying_party import RelyingParty

GRANTS = {"client_credentials", "password", "refresh_token"}
PAIRWISE = RelyingParty(subject_type="pairwise", sector="shop.example")
REDIRECT = ("https://shop.example/cb",)
NONE = frozenset({AuthMethod.NONE})

GOOD = [
    pytest.param({}, id="nothing but an id"),
    pytest.param({"client_id": "https://app.example/meta"}, id="an id that is a URL"),
    pytest.param({"name": "Ünïcode näme"}, id="a name"),
    pytest.param({"grants": frozenset(GRANTS)}, id="grants"),
    pytest.param({"redirect_uris": REDIRECT, "relying_party": PAIRWISE}, id="names of its own"),
    pytest.param({"auth_methods": NONE, "grants": frozenset({"refresh_token"})}, id="public"),
    pytest.param({"profile": Profile.FAPI2, "auth_methods": frozenset()}, id="fapi2"),
    pytest.param({"audiences": ("https://api.example", "urn:x:y")}, id="audiences"),
    pytest.param({"redirect_uris": ("https://app.example/cb?x=1",)}, id="https redirect"),
    pytest.param(
        {"redirect_uris": ("http://127.0.0.1:8000/cb", "http://[::1]/cb", "http://localhost/")}, id="loopback"
    ),
    pytest.param({"redirect_uris": ("com.example.app:/cb",)}, id="a scheme of an app"),
    pytest.param(
        {"origins": frozenset({"https://app.example", "http://localhost:3000", "https://[::1]:8443"})}, id="origins"
    ),
    pytest.param({"lifetimes": Lifetimes(timedelta(seconds=5), reuse_grace=timedelta(0))}, id="lifetimes"),
]
BAD = [
    pytest.param({"client_id": ""}, "id", id="no id"),
    pytest.param({"client_id": "a b"}, "id", id="blank in the id"),
    pytest.param({"client_id": "ünï"}, "id", id="id not ASCII"),
    pytest.param({"client_id": "a\n"}, "id", id="line break in the id"),
    pytest.param({"client_id": "x" * 256}, "id", id="endless id"),
    pytest.param({"client_id": "usr_x"}, "id", id="id like a user's"),
    pytest.param({"name": "a\nb"}, "name", id="line break in the name"),
    pytest.param({"name": "x" * 256}, "name", id="endless name"),
    pytest.param({"auth_methods": frozenset()}, "auth-method", id="no method"),
    pytest.param({"auth_methods": NONE | {AuthMethod.SECRET_POST}}, "auth-method", id="none and another"),
    pytest.param({"profile": Profile.FAPI2}, "auth-method", id="fapi2 with a secret"),
    pytest.param({"profile": Profile.FAPI2, "auth_methods": NONE}, "auth-method", id="fapi2, public"),
    pytest.param({"grants": frozenset({"implicit"})}, "grant", id="unknown grant"),
    pytest.param({"auth_methods": NONE, "grants": frozenset({"client_credentials"})}, "grant", id="public, own token"),
    pytest.param(
        {"grants": frozenset({"password"}), "redirect_uris": REDIRECT, "relying_party": PAIRWISE},
        "grant",
        id="password, but names of its own",
    ),
    pytest.param({"scopes": frozenset({"a b"})}, "scope", id="two scopes in one"),
    pytest.param({"scopes": frozenset({"x" * 256})}, "scope", id="endless scope"),
    pytest.param({"audiences": ("https://api.example/#x",)}, "audience", id="fragment"),
    pytest.param({"audiences": ("",)}, "audience", id="empty audience"),
    pytest.param({"serves": frozenset({"a b"})}, "serves", id="blank in what it serves"),
    pytest.param({"redirect_uris": ("/cb",)}, "redirect-uri", id="relative"),
    pytest.param({"redirect_uris": ("http://app.example/cb",)}, "redirect-uri", id="http"),
    pytest.param({"redirect_uris": ("http://127.0.0.1.evil.example/cb",)}, "redirect-uri", id="nearly loopback"),
    pytest.param({"redirect_uris": ("https://app.example/#",)}, "redirect-uri", id="redirect with a fragment"),
    pytest.param({"redirect_uris": ("https://user@app.example/",)}, "redirect-uri", id="user info"),
    pytest.param({"redirect_uris": ("javascript:alert(1)",)}, "redirect-uri", id="javascript"),
    pytest.param({"redirect_uris": ("JavaScript:alert(1)",)}, "redirect-uri", id="JavaScript"),
    pytest.param({"redirect_uris": ("https://[::1",)}, "redirect-uri", id="no URI"),
    pytest.param({"redirect_uris": ("https://a;b.example/cb",)}, "redirect-uri", id="a host that ends a CSP source"),
    pytest.param({"redirect_uris": ("https:///cb",)}, "redirect-uri", id="https without a host"),
    pytest.param({"redirect_uris": ("https://app.example:99999/",)}, "redirect-uri", id="a port that is none"),
    pytest.param({"origins": frozenset({"*"})}, "origin", id="any origin"),
    pytest.param({"origins": frozenset({"null"})}, "origin", id="null"),
    pytest.param({"origins": frozenset({"https://app.example/"})}, "origin", id="origin with a path"),
    pytest.param({"origins": frozenset({"https://App.example"})}, "origin", id="upper case"),
    pytest.param({"origins": frozenset({"https://app.example:443"})}, "origin", id="the default port"),
    pytest.param({"lifetimes": Lifetimes(access=timedelta(seconds=4))}, "access", id="too short"),
    pytest.param({"lifetimes": Lifetimes(reuse_grace=timedelta(seconds=-1))}, "reuse-grace", id="negative grace"),
]


@pytest.mark.parametrize("changes", GOOD)
def test_what_holds(changes: dict[str, Any]) -> None:
    replace(ClientMetadata("app"), **changes).check(GRANTS)


@pytest.mark.parametrize(("changes", "field"), BAD)
def test_what_does_not_hold_is_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput, match=f"^{field}: "):
        replace(ClientMetadata("app"), **changes).check(GRANTS)
