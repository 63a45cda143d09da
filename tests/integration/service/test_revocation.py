"""Revocation (RFC 7009): one answer for everything, own tokens only, and no way around it."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest

from tests.integration.service.api import Credentials
from tests.integration.service.record import PASSWORD
from tests.integration.service.running import Service

_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@pytest.fixture(scope="module")
def client(service: Service) -> Credentials:
    service.operator.user("rev-user")
    return service.operator.client("rev", "client_credentials", "password", "refresh_token")


@pytest.fixture(scope="module")
def other(service: Service) -> Credentials:
    return service.operator.client("rev-other", "client_credentials", "password", "refresh_token")


def login(service: Service, client: Credentials) -> dict[str, str]:
    return service.api.issue(client, "password", username="rev-user", password=PASSWORD)


def test_every_token_gets_the_same_answer(service: Service, client: Credentials, other: Credentials) -> None:
    own, foreign = service.api.issue(client)["access_token"], service.api.issue(other)["access_token"]
    foreign_refresh = login(service, other)["refresh_token"]
    tokens = [own, own, foreign, foreign_refresh, "nonsense", "a.b.c", own[:-5]]
    answers = [service.api.revoke(client, token) for token in tokens]
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, b"")}
    assert not service.api.active(client, own)
    assert service.api.active(other, foreign)
    assert service.api.active(other, foreign_refresh)


def test_a_sibling_goes_on_living(service: Service, client: Credentials) -> None:
    one, sibling = login(service, client), login(service, client)
    service.api.revoke(client, one["access_token"])
    assert not service.api.active(client, one["access_token"])
    assert service.api.active(client, one["refresh_token"])
    assert service.api.active(client, sibling["access_token"])


@pytest.mark.parametrize("hint", ["", "access_token", "refresh_token", "pct"])
def test_a_refresh_token_ends_its_family_whatever_the_hint(service: Service, client: Credentials, hint: str) -> None:
    first, sibling = login(service, client), login(service, client)
    second = service.api.issue(client, "refresh_token", refresh_token=first["refresh_token"])
    service.api.revoke(client, second["refresh_token"], token_type_hint=hint)
    for dead in (first["access_token"], second["access_token"], second["refresh_token"]):
        assert not service.api.active(client, dead)
    assert service.api.ask(client, "refresh_token", refresh_token=second["refresh_token"]).status_code == 400
    assert service.api.active(client, sibling["access_token"])
    assert service.api.active(client, sibling["refresh_token"])


def test_a_spent_refresh_token_still_ends_its_family(service: Service, client: Credentials) -> None:
    first = login(service, client)
    second = service.api.issue(client, "refresh_token", refresh_token=first["refresh_token"])
    service.api.revoke(client, first["refresh_token"])
    assert not service.api.active(client, second["access_token"])


def test_an_access_token_called_a_refresh_token_is_revoked(service: Service, client: Credentials) -> None:
    token = service.api.issue(client)["access_token"]
    service.api.revoke(client, token, token_type_hint="refresh_token")
    assert not service.api.active(client, token)


def test_twins_of_a_revoked_token_are_inactive(service: Service, client: Credentials) -> None:
    token = service.api.issue(client)["access_token"]
    assert service.api.active(client, token)
    service.api.revoke(client, token)
    for twin in (other_s(token), *spare_bits(token), token + "=", token + "==", token + "."):
        assert twin != token
        assert not service.api.active(client, twin)


def test_a_twin_revokes_the_token(service: Service, client: Credentials) -> None:
    token, sibling = service.api.issue(client)["access_token"], service.api.issue(client)["access_token"]
    service.api.revoke(client, other_s(token))
    assert not service.api.active(client, token)
    assert service.api.active(client, sibling)


def test_a_public_client_revokes_its_own(service: Service) -> None:
    page = service.operator.client("rev-page", "password", "refresh_token", public=True)
    other = service.operator.client("rev-page-2", "password", "refresh_token", public=True)
    first = login(service, page)
    assert service.api.revoke(other, first["refresh_token"]).status_code == 200
    second = service.api.issue(page, "refresh_token", refresh_token=first["refresh_token"])
    assert service.api.revoke(page, second["refresh_token"]).status_code == 200
    assert service.api.ask(page, "refresh_token", refresh_token=second["refresh_token"]).status_code == 400


def test_who_is_not_the_client_revokes_nothing(service: Service, client: Credentials) -> None:
    token = service.api.issue(client)["access_token"]
    answer = service.api.revoke(Credentials(client.client_id, "a wrong secret"), token)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert service.api.active(client, token)


def other_s(token: str) -> str:
    """The same ES256 token with the second ``s`` that verifies: n - s."""
    signing_input, _, encoded = token.rpartition(".")
    signature = urlsafe_b64decode(encoded + "==")
    s = _P256_ORDER - int.from_bytes(signature[32:], "big")
    return f"{signing_input}.{urlsafe_b64encode(signature[:32] + s.to_bytes(32, 'big')).decode().rstrip('=')}"


def spare_bits(token: str) -> list[str]:
    """The same token with each other value of the bits that base64 leaves unused at the end (64 bytes: four)."""
    last = _ALPHABET.index(token[-1])
    return [token[:-1] + _ALPHABET[last & ~0xF | bits] for bits in range(16) if (last & 0xF) != bits]
