"""What needs no token, and what a resource server says of itself (RFC 9728)."""

import json

import pytest

from authcenter.sdk.admission import Admission
from authcenter.sdk.resource_metadata import resource_metadata
from tests.unit.sdk.guards.resource import verifier
from tests.workbench import API, ISSUER

PUBLIC = ["/healthz", "/static/*"]
PATHS = [
    pytest.param("/healthz", True, id="named"),
    pytest.param("/static/a/b.css", True, id="below a subtree"),
    pytest.param("/static/", True, id="a subtree's root"),
    pytest.param("/static", False, id="a subtree's name alone"),
    pytest.param("/healthz/", False, id="with a slash behind it"),
    pytest.param("/healthzz", False, id="longer"),
    pytest.param("/staticx", False, id="beside a subtree"),
    pytest.param("/static/../orders", False, id="dot segments"),
    pytest.param("/static/./a", False, id="a dot segment"),
    pytest.param("/static/..", False, id="dots at the end"),
    pytest.param("/static//orders", False, id="an empty segment"),
    pytest.param("/static/%2e%2e/orders", False, id="encoded dots"),
    pytest.param("/static%2Forders", False, id="an encoded slash"),
    pytest.param("/static/..\\orders", False, id="a backslash"),
    pytest.param("/orders", False, id="anything else"),
]
RESOURCES = [
    pytest.param("https://api.example", "https://api.example/.well-known/oauth-protected-resource", id="origin"),
    pytest.param("https://api.example/", "https://api.example/.well-known/oauth-protected-resource", id="with slash"),
    pytest.param("https://api.example/v1", "https://api.example/.well-known/oauth-protected-resource/v1", id="path"),
    pytest.param(
        "https://api.example/v1?t=1", "https://api.example/.well-known/oauth-protected-resource/v1?t=1", id="query"
    ),
]


@pytest.mark.parametrize(("path", "public"), PATHS)
def test_only_what_is_named_is_public(path: str, public: bool) -> None:
    assert Admission(verifier(), public=PUBLIC).is_public(path) is public


def test_nothing_is_public_unless_it_is_named() -> None:
    admission = Admission(verifier())
    assert not any(admission.is_public(path) for path in ["", "/", "/healthz", "*"])


@pytest.mark.parametrize(("resource", "url"), RESOURCES)
def test_the_metadata_lie_where_the_rfc_puts_them(resource: str, url: str) -> None:
    said = resource_metadata(resource, ISSUER, ["write", "read"])
    assert said is not None
    assert said.url == url
    assert url.removeprefix("https://api.example").partition("?")[0] == said.path
    assert said.document == {
        "resource": resource,
        "authorization_servers": [ISSUER],
        "scopes_supported": ["read", "write"],
        "bearer_methods_supported": ["header"],
    }


@pytest.mark.parametrize("resource", ["orders", "urn:example:orders", "https:///x", "https://a.example/#x"])
def test_what_is_no_url_has_no_metadata_and_a_realm_instead(resource: str) -> None:
    admission = Admission(verifier(audience=resource))
    assert (admission.metadata, admission.metadata_path) == (None, None)
    assert admission.challenge.no_credentials().headers["WWW-Authenticate"] == f'Bearer realm="{resource}"'


def test_further_members_cannot_replace_the_resource() -> None:
    admission = Admission(verifier(), metadata={"resource": "https://evil.example", "resource_name": "Orders"})
    said = json.loads(admission.metadata or b"")
    assert (said["resource"], said["resource_name"]) == (API, "Orders")


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"scopes": ['a"b']}, id="a scope with a quote"),
        pytest.param({"scopes": ["a b"]}, id="two scopes in one"),
        pytest.param({"scopes_supported": ["a\nb"]}, id="a scope with a line break"),
        pytest.param({"public": ["healthz"]}, id="a path without slash"),
        pytest.param({"public": ["/a%2Fb"]}, id="an encoded path"),
    ],
)
def test_what_could_not_work_is_refused_at_the_start(options: dict[str, list[str]]) -> None:
    with pytest.raises(ValueError, match=r"scope|path"):
        Admission(verifier(), **options)  # type: ignore[arg-type]


def test_an_audience_that_no_header_can_carry_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="ASCII"):
        Admission(verifier(audience="orders\r\nSet-Cookie: x"))
