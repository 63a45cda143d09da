"""From options to a client's metadata."""

from datetime import timedelta
from typing import Any

import click
import pytest

from authcenter.cli.client_options import changed_metadata, is_anything_given, metadata_options, new_metadata
from authcenter.clients.entitlements import ClientMetadata
from authcenter.core.client import SECRET_METHODS, AuthMethod, Lifetimes, OnOutage, Profile

OLD = ClientMetadata(
    "shop",
    name="Shop",
    grants=frozenset({"a"}),
    scopes=frozenset({"read"}),
    audiences=("x", "y"),
    first_party=True,
    lifetimes=Lifetimes(access=timedelta(seconds=60), refresh=timedelta(seconds=600)),
    on_outage=OnOutage.CLOSED,
)


def given(*words: str) -> dict[str, Any]:
    """What click makes of options."""
    found: dict[str, Any] = {}

    @click.command()
    @metadata_options
    def command(**options: Any) -> None:
        found.update(options)

    command.main(list(words), standalone_mode=False)
    return found


def changed(*words: str, old: ClientMetadata = OLD) -> ClientMetadata:
    return changed_metadata(click.Context(click.Command("update")), old, given(*words))


def test_nothing_given_changes_nothing() -> None:
    assert not is_anything_given(given())
    assert changed() == OLD


CHANGES = [
    pytest.param(["--name", ""], {"name": ""}, id="no name"),
    pytest.param(["--profile", "oidc"], {"profile": Profile.OIDC}, id="profile"),
    pytest.param(["--scope", " a  b ", "--scope", "c"], {"scopes": frozenset("abc")}, id="scopes with blanks"),
    pytest.param(["--scope", ""], {"scopes": frozenset()}, id="no scopes"),
    pytest.param(["--audience", ""], {"audiences": ()}, id="no audiences"),
    pytest.param(["--audience", "b", "--audience", "a", "--audience", "b"], {"audiences": ("b", "a")}, id="audiences"),
    pytest.param(["--third-party"], {"first_party": False}, id="third party"),
    pytest.param(["--public"], {"auth_methods": frozenset({AuthMethod.NONE})}, id="public"),
    pytest.param(["--on-outage", "policy"], {"on_outage": None}, id="outage by policy"),
    pytest.param(
        ["--access-ttl", "policy", "--reuse-grace", "0"],
        {"lifetimes": Lifetimes(refresh=timedelta(seconds=600), reuse_grace=timedelta(0))},
        id="lifetimes, each by itself",
    ),
]


@pytest.mark.parametrize(("words", "changes"), CHANGES)
def test_what_is_given_is_changed(words: list[str], changes: dict[str, Any]) -> None:
    new = changed(*words)
    assert is_anything_given(given(*words))
    assert {name: getattr(new, name) for name in changes} == changes
    assert {name for name in ClientMetadata.__slots__ if getattr(new, name) != getattr(OLD, name)} == set(changes)


METHODS = [
    pytest.param([], SECRET_METHODS, id="default"),
    pytest.param(["--confidential"], SECRET_METHODS, id="confidential"),
    pytest.param(["--auth-method", "client_secret_post"], {AuthMethod.SECRET_POST}, id="one"),
    pytest.param(["--public"], {AuthMethod.NONE}, id="public"),
    pytest.param(["--public", "--auth-method", "none"], {AuthMethod.NONE}, id="public twice"),
    pytest.param(["--profile", "fapi2"], set(), id="fapi2"),
    pytest.param(
        ["--profile", "fapi2", "--auth-method", "client_secret_post"], {AuthMethod.SECRET_POST}, id="for check"
    ),
]


@pytest.mark.parametrize(("words", "methods"), METHODS)
def test_a_new_client_authenticates(words: list[str], methods: set[AuthMethod]) -> None:
    metadata = new_metadata(click.Context(click.Command("create")), "shop", given(*words))
    assert metadata.auth_methods == methods


def test_a_client_that_ceases_to_be_public_takes_secrets() -> None:
    assert changed("--confidential", old=changed("--public")).auth_methods == SECRET_METHODS


@pytest.mark.parametrize(
    "words",
    [["--public", "--auth-method", "client_secret_post"], ["--confidential", "--auth-method", "none"]],
    ids=["public", "confidential"],
)
def test_contradictions_are_wrong_usage(words: list[str]) -> None:
    with pytest.raises(click.UsageError):
        changed(*words)
