"""Two processes on one database: what one does, the other honours within 2 s; a rotation within 5 s.

The seconds are measured and printed (``-rP``), not asserted: a loaded machine proves nothing.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import jwt
import pytest

from authcenter.core.client import Client
from authcenter.core.cut import Cut, CutKind
from authcenter.jose.algorithms import Alg
from tests.integration.service.api import Credentials, until
from tests.integration.service.record import PASSWORD, Operator
from tests.integration.service.running import Service

_ACTOR = "test"
_GRANTS = ("client_credentials", "password", "refresh_token")
Act = Callable[[Service, Credentials, dict[str, str]], Any]


def disabled(service: Service, client: Credentials, _: dict[str, str]) -> Any:
    return service.operator.act(lambda core: core.clients.disable(client.client_id, _ACTOR))


def user_disabled(service: Service, client: Credentials, _: dict[str, str]) -> Any:
    return service.operator.act(lambda core: core.accounts.disable(client.client_id, actor=_ACTOR))


def logged_out(service: Service, client: Credentials, _: dict[str, str]) -> Any:
    return service.operator.act(lambda core: core.accounts.logout(client.client_id, actor=_ACTOR))


def cut_by_jti(service: Service, _: Credentials, tokens: dict[str, str]) -> Any:
    jti = jwt.decode(tokens["access_token"], options={"verify_signature": False})["jti"]
    return service.operator.act(lambda core: core.revocations.cut([Cut(CutKind.JTI, jti, "test")], _ACTOR))


def replayed(service: Service, client: Credentials, tokens: dict[str, str]) -> Any:
    for status in (200, 400):
        answer = service.api.ask(client, "refresh_token", refresh_token=tokens["refresh_token"])
        assert answer.status_code == status


def revoked_by_command(service: Service, _: Credentials, tokens: dict[str, str]) -> Any:
    done = service.process.cli("tokens", "revoke", "--token-stdin", stdin=tokens["access_token"])
    assert done.returncode == 0, done.stderr


ACTS = [
    pytest.param(lambda one, client, tokens: one.api.revoke(client, tokens["access_token"]), id="revocation"),
    pytest.param(lambda one, client, tokens: one.api.revoke(client, tokens["refresh_token"]), id="end-of-family"),
    pytest.param(replayed, id="replay"),
    pytest.param(disabled, id="client-disabled"),
    pytest.param(user_disabled, id="user-disabled"),
    pytest.param(logged_out, id="logged-out-everywhere"),
    pytest.param(cut_by_jti, id="jti"),
    pytest.param(revoked_by_command, id="tokens-revoke"),
]


def refused(service: Service, caller: Credentials, token: str) -> bool:
    return not service.api.active(caller, token)


@pytest.fixture(scope="module")
def gateway(on_postgres: Service) -> Credentials:
    return on_postgres.operator.client("pair-gateway", serves=["https://pair.example"])


@pytest.mark.parametrize("act", ACTS)
def test_what_one_process_refuses_the_other_soon_refuses_too(
    on_postgres: Service,
    beside: Service,
    gateway: Credentials,
    act: Act,
    request: pytest.FixtureRequest,
) -> None:
    name = f"pair-{request.node.callspec.id}"
    client = on_postgres.operator.client(name, *_GRANTS, audiences=["https://pair.example"])
    on_postgres.operator.user(name)
    tokens = on_postgres.api.issue(client, "password", username=name, password=PASSWORD)
    assert all(one.api.active(gateway, tokens["access_token"]) for one in (on_postgres, beside))

    act(on_postgres, client, tokens)

    seconds = until(lambda: refused(beside, gateway, tokens["access_token"]), "refused by the other process")
    until(lambda: refused(on_postgres, gateway, tokens["access_token"]), "refused by this process")
    report(seconds)


def test_a_new_key_is_accepted_at_once_and_soon_used(on_postgres: Service, beside: Service) -> None:
    client = on_postgres.operator.client("pair-rotation", "client_credentials")
    before = kid_in_use(on_postgres, client)
    rotate(on_postgres.operator)
    until(lambda: kid_in_use(on_postgres, client) != before, "one process signs with the new key")
    assert beside.api.active(client, on_postgres.api.issue(client)["access_token"])
    new = kid_in_use(on_postgres, client)
    report(until(lambda: kid_in_use(beside, client) == new, "the other one signs with it too"))
    assert new in beside.api.kids()


def test_a_key_unknown_to_one_process_is_never_refused_by_it(on_postgres: Service, beside: Service) -> None:
    """Also while strangers use up the re-reads with key ids of their own, and when keys change within one re-read."""
    client = on_postgres.operator.client("pair-unknown-kid", "client_credentials")
    foreign = jwt.encode({}, "k" * 32, headers={"kid": "no such key", "typ": "at+jwt"})
    for _ in range(3):
        before = kid_in_use(on_postgres, client)
        assert not beside.api.active(client, foreign)
        rotate(on_postgres.operator)
        until(lambda last=before: kid_in_use(on_postgres, client) != last, "one process signs with the new key")
        assert beside.api.active(client, on_postgres.api.issue(client)["access_token"])


def test_a_revoked_keys_tokens_are_dead_everywhere_and_a_successor_signs(on_postgres: Service, beside: Service) -> None:
    client = on_postgres.operator.client("pair-key", "client_credentials")
    token = on_postgres.api.issue(client)["access_token"]
    kid = jwt.get_unverified_header(token)["kid"]
    assert all(one.api.active(client, token) for one in (on_postgres, beside))

    on_postgres.operator.act(lambda core: core.rotation.revoke(kid, "leaked", _ACTOR))

    worst = 0.0
    for one in (on_postgres, beside):
        worst = max(worst, until(lambda one=one: refused(one, client, token), "its tokens are dead"))
        until(lambda one=one: kid not in one.api.kids(), "it is published no more")
        until(lambda one=one: kid_in_use(one, client) != kid, "a successor signs")
        assert on_postgres.api.active(client, one.api.issue(client)["access_token"])
    report(worst)


def test_changes_of_a_client_are_seen_everywhere(on_postgres: Service, beside: Service) -> None:
    client = on_postgres.operator.client("pair-change", "client_credentials", scopes=["read"])
    both = (on_postgres, beside)
    assert [one.api.issue(client)["scope"] for one in both] == ["read", "read"]

    wider = frozenset({"read", "write"})
    on_postgres.operator.act(
        lambda core: core.clients.update("pair-change", lambda metadata: replace(metadata, scopes=wider), _ACTOR)
    )
    worst = max(
        until(lambda one=one: one.api.issue(client)["scope"] == "read write", "the wider scope") for one in both
    )

    changed: tuple[Client, Any] = on_postgres.operator.act(
        lambda core: core.clients.rotate_secret("pair-change", _ACTOR, end_old=True)
    )
    new = Credentials(client.client_id, changed[1].reveal())
    for one in both:
        worst = max(worst, until(lambda one=one: one.api.ask(new).status_code == 200, "the new secret"))
        assert one.api.ask(client).status_code == 401
    report(worst)


def test_a_client_made_by_an_operator_works_everywhere_although_it_was_asked_for_before(
    on_postgres: Service, beside: Service
) -> None:
    both = (on_postgres, beside)
    early = Credentials("pair-early", "nothing")
    assert {one.api.ask(early).status_code for one in both} == {401}
    client = on_postgres.operator.client("pair-early", "client_credentials")
    report(max(until(lambda one=one: one.api.ask(client).status_code == 200, "it works") for one in both))


def report(seconds: float) -> None:
    print(f"took {seconds:.2f} s")


def kid_in_use(service: Service, client: Credentials) -> str:
    header = jwt.get_unverified_header(service.api.issue(client)["access_token"])
    return str(header["kid"])


def rotate(operator: Operator) -> None:
    operator.act(lambda core: core.rotation.rotate(Alg.ES256, timedelta(0), _ACTOR))
