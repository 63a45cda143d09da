"""``kill -9`` during and right after a revocation: it is there whole, with its audit row, or not at all; once it was
acknowledged, it is there."""

import http.client
from collections.abc import Callable

import pytest

from tests.chaos.caller import Answer, claims
from tests.chaos.deployment import PASSWORD, USER, Deployment, selector

BEFORE = ["after insert auth_audit", "before do_commit"]
AFTER = ["after do_commit", "before write_eof", "after write_eof"]
ENDING = [(step, False) for step in ["before end_family", "after update token_families", *BEFORE]] + [
    (step, True) for step in AFTER
]
REVOKING = [(step, False) for step in ["after insert revoked_tokens", *BEFORE]] + [(step, True) for step in AFTER]


def killed_at(deployment: Deployment, step: str, act: Callable[[], Answer]) -> int | None:
    """Die at ``step`` of ``act``, live again; the status, where an answer left before the death."""
    deployment.arm(step)
    try:
        status = act().status
    except (ConnectionError, http.client.IncompleteRead):
        status = None
    deployment.await_death_at(step)
    assert status is None or step == "after write_eof"
    return status


@pytest.mark.parametrize(("step", "done"), REVOKING)
def test_the_revocation_of_an_access_token(deployment: Deployment, step: str, done: bool) -> None:
    caller = deployment.patient
    first = caller.sign_in(USER, PASSWORD)
    token, sibling = first["access_token"], caller.own_token()
    killed_at(deployment, step, lambda: caller.revoke(token))
    jti = claims(token)["jti"]

    assert caller.active(token) is not done
    assert deployment.events("token.revoked", jti=jti) == int(done)
    assert caller.active(sibling)
    assert caller.active(first["refresh_token"])

    assert caller.revoke(token).status == 200
    assert not caller.active(token)
    assert deployment.events("token.revoked", jti=jti) >= 1


@pytest.mark.parametrize(("step", "done"), ENDING)
def test_the_revocation_of_a_family(deployment: Deployment, step: str, done: bool) -> None:
    caller = deployment.patient
    first = caller.sign_in(USER, PASSWORD)
    killed_at(deployment, step, lambda: caller.revoke(first["refresh_token"]))
    family = claims(first["access_token"])["fam"]

    assert deployment.family(selector(first["refresh_token"])).ended is done
    assert [caller.active(first[kind]) for kind in ("refresh_token", "access_token")] == [not done] * 2
    assert deployment.events("family.ended", fam=family) == int(done)

    assert caller.revoke(first["refresh_token"]).status == 200
    assert not any(caller.active(first[kind]) for kind in ("refresh_token", "access_token"))
    assert deployment.events("family.ended", fam=family) == 1


@pytest.mark.parametrize(("step", "done"), ENDING)
def test_the_end_of_a_family_by_a_replay(deployment: Deployment, step: str, done: bool) -> None:
    caller = deployment.strict
    first = caller.sign_in(USER, PASSWORD)
    spent = first["refresh_token"]
    second = caller.granted(caller.refresh(spent))
    killed_at(deployment, step, lambda: caller.refresh(spent))
    family = claims(first["access_token"])["fam"]

    held = (second["refresh_token"], second["access_token"], first["access_token"])
    assert deployment.family(selector(spent)).ended is done
    assert [caller.active(token) for token in held] == [not done] * 3
    assert deployment.events("refresh.replayed", fam=family) == int(done)

    assert caller.refresh(spent).status == 400
    assert not any(map(caller.active, held))
    assert deployment.events("refresh.replayed", fam=family) == 1
