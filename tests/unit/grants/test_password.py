"""The password grant: for clients that opted in, with one answer for whatever is wrong with the user."""

from dataclasses import replace
from typing import Any

import pytest

from authcenter.accounts.sessions import ACR_TWO_FACTORS
from authcenter.core.cut import Cut, CutKind
from authcenter.core.errors import CutPending, OAuthError
from authcenter.core.relying_party import RelyingParty
from authcenter.core.resource import ResourceScope
from authcenter.core.rules import Rule
from tests.authenticator import enrol
from tests.workbench import API, OTHER_API, PASSWORD, START, Workbench, refused

REFUSALS = [
    pytest.param({"username": ""}, Rule.PARAMETER_MISSING, id="no name"),
    pytest.param({"password": ""}, Rule.PARAMETER_MISSING, id="no password"),
    pytest.param({"username": "bob"}, Rule.USER_UNKNOWN, id="unknown user"),
    pytest.param({"password": "wrong"}, Rule.USER_PASSWORD_WRONG, id="wrong password"),
    pytest.param({"password": PASSWORD.upper()}, Rule.USER_PASSWORD_WRONG, id="another case"),
    pytest.param({"secret": "wrong", "password": "wrong"}, Rule.CLIENT_SECRET_WRONG, id="the client comes first"),
    pytest.param({"scope": "admin"}, Rule.SCOPE_NOT_ALLOWED, id="scope of others"),
    pytest.param({"scope": "a\\b", "password": "wrong"}, Rule.SCOPE_MALFORMED, id="scope outside the grammar"),
    pytest.param({"resource": "urn:x"}, Rule.RESOURCE_NOT_ALLOWED, id="resource of others"),
]


@pytest.mark.parametrize(("change", "rule"), REFUSALS)
async def test_a_refused_sign_in_opens_no_family(bench: Workbench, change: dict[str, Any], rule: Rule) -> None:
    with refused(rule):
        await bench.issue(**change)
    assert bench.record.tables.families == {}


STATES = [
    pytest.param({"disabled_at": START}, Rule.USER_DISABLED, id="disabled"),
    pytest.param({"email_verified": False}, Rule.USER_ADDRESS_UNVERIFIED, id="address not verified"),
]


@pytest.mark.parametrize(("state", "rule"), STATES)
async def test_who_may_not_sign_in_reads_what_a_stranger_reads(
    bench: Workbench, state: dict[str, Any], rule: Rule
) -> None:
    held = bench.record.tables.users[bench.alice.subject]
    bench.record.tables.users[held.user.subject] = replace(held, user=replace(held.user, **state))
    with pytest.raises(OAuthError) as known:
        await bench.issue()
    assert known.value.rule is rule
    with pytest.raises(OAuthError) as unknown:
        await bench.issue(username="nobody")
    assert (known.value.code, known.value.description, known.value.status) == (
        unknown.value.code,
        unknown.value.description,
        unknown.value.status,
    )


async def test_a_persons_token(bench: Workbench) -> None:
    answer = await bench.issue(scope="read", resource=OTHER_API)
    claims = answer.claims
    assert claims["sub"] == bench.alice.subject
    assert claims["sub"].startswith("usr_")
    assert claims["client_id"] == "app"
    assert claims["aud"] == OTHER_API
    assert claims["amr"] == ["pwd"]
    assert claims["auth_time"] == claims["iat"] == int(START.timestamp())
    assert claims["roles"] == ["reader"]
    assert "username" not in claims
    assert answer.refresh.startswith("acr_")


async def test_the_address_signs_in_too(bench: Workbench) -> None:
    assert (await bench.issue(username="Alice@Example.com")).claims["sub"] == bench.alice.subject


async def test_no_refresh_token_for_a_client_that_may_not_use_one(bench: Workbench) -> None:
    await bench.client("plain", grants=frozenset({"password"}))
    assert "refresh_token" not in (await bench.issue(client="plain")).members
    assert bench.record.tables.families == {}


async def test_a_client_that_did_not_opt_in_is_refused_before_the_password_is_looked_at(bench: Workbench) -> None:
    await bench.client("svc", grants=frozenset({"client_credentials"}))
    with refused(Rule.GRANT_NOT_ALLOWED):
        await bench.issue(client="svc")
    assert "users.find_credentials" not in bench.board.asked


async def test_a_client_that_knows_people_by_names_of_its_own_does_not_learn_the_accounts(bench: Workbench) -> None:
    """As one that was registered with both before that was refused."""
    client = await bench.client("pair", grants=frozenset({"password", "refresh_token"}))
    pairwise = RelyingParty(subject_type="pairwise", sector="shop.example")
    bench.record.tables.clients["pair"] = replace(client, relying_party=pairwise)
    with refused(Rule.GRANT_NOT_PAIRWISE):
        await bench.issue(client="pair")
    assert "users.find_credentials" not in bench.board.asked


ROLES = [
    pytest.param("read write", "write", None, id="what the roles allow"),
    pytest.param("write", "write", None, id="nothing taken away"),
    pytest.param("read", None, Rule.SCOPE_ROLE_MISSING, id="nothing left"),
]


@pytest.mark.parametrize(("asked", "granted", "rule"), ROLES)
async def test_scopes_that_demand_a_role(bench: Workbench, asked: str, granted: str | None, rule: Rule | None) -> None:
    scopes = {"read": ResourceScope("", "auditor"), "write": ResourceScope("", "reader")}
    await bench.core.resources.update(API, None, scopes, "tests")
    if rule is None:
        assert (await bench.issue(scope=asked)).members["scope"] == granted
    else:
        with refused(rule):
            await bench.issue(scope=asked)


async def test_logins_are_counted_and_the_deprecation_logged(bench: Workbench) -> None:
    await bench.issue()
    with refused(Rule.USER_PASSWORD_WRONG):
        await bench.issue(password="wrong")
    assert bench.counted("login_total", outcome="success") == 1
    assert bench.counted("login_total", outcome=Rule.USER_PASSWORD_WRONG) == 1
    assert "password_grant_used" in str(bench.log.calls)
    assert PASSWORD not in str(bench.log.calls)


SPENDING = {"totp.spend", "recovery_codes.spend"}


@pytest.fixture(params=["otp", "recovery_code"])
async def proof(request: pytest.FixtureRequest, bench: Workbench) -> dict[str, str]:
    """A second factor of alice's that is good once."""
    app = await enrol(bench)
    return {request.param: app.code() if request.param == "otp" else app.recovery_codes[0]}


ELSEWHERE = [
    pytest.param({"scope": "admin"}, Rule.SCOPE_NOT_ALLOWED, id="scope of others"),
    pytest.param({"resource": "urn:x"}, Rule.RESOURCE_NOT_ALLOWED, id="resource of others"),
    pytest.param({"resource": (API, OTHER_API)}, Rule.RESOURCE_SEVERAL, id="two resources"),
    pytest.param({"password": "wrong"}, Rule.USER_PASSWORD_WRONG, id="wrong password"),
]


@pytest.mark.parametrize(("change", "rule"), ELSEWHERE)
async def test_what_is_refused_for_another_reason_spends_no_second_factor(
    bench: Workbench, proof: dict[str, str], change: dict[str, Any], rule: Rule
) -> None:
    with refused(rule):
        await bench.issue(**proof, **change)
    assert SPENDING.isdisjoint(bench.board.asked)
    assert (await bench.issue(**proof)).claims["acr"] == ACR_TWO_FACTORS
    assert not SPENDING.isdisjoint(bench.board.asked)


CUT_THIS_SECOND = [
    pytest.param(CutKind.SUBJECT, id="the person"),
    pytest.param(CutKind.CLIENT, id="the client"),
    pytest.param(CutKind.EVERYTHING, id="everything"),
]


@pytest.mark.parametrize("kind", CUT_THIS_SECOND)
async def test_a_cut_of_this_second_is_waited_for_before_a_second_factor_is_spent(
    bench: Workbench, waits: list[float], proof: dict[str, str], kind: CutKind
) -> None:
    """As where somebody has set a new password and signs in at once."""
    value = {CutKind.SUBJECT: bench.alice.subject, CutKind.CLIENT: "app"}.get(kind, "")
    await bench.core.revocations.cut([Cut(kind, value, "tests", until_now=True)], "tests")
    await bench.follow()
    answer = await bench.issue(**proof)
    assert len(waits) == 1
    assert answer.claims["iat"] == answer.claims["auth_time"] == int(bench.clock.seconds())
    assert await bench.active(answer.access)
    assert bench.counted("login_total", outcome="success") == 1


async def test_a_cut_that_does_not_pass_spends_no_second_factor(
    bench: Workbench, waits: list[float], proof: dict[str, str]
) -> None:
    bench.core.revocations.replica.add_cut(Cut(CutKind.CLIENT, "app", "tests"))
    with pytest.raises(CutPending):
        await bench.issue(**proof)
    assert SPENDING.isdisjoint(bench.board.asked)
