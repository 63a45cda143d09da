"""Standard claims, each by its type (OpenID Connect Core §5.1)."""

from typing import Any

import pytest

from authcenter.accounts.claims import STANDARD_CLAIMS
from authcenter.accounts.passwords import PasswordHashing
from authcenter.accounts.standard_claims import STORED_CLAIMS, check_claims
from authcenter.cli.conformance import CLAIMS
from authcenter.core.errors import InvalidInput, NotFound
from authcenter.core.secret import Secret
from tests.workbench import PASSWORD, Workbench

GOOD = [
    pytest.param({}, id="none"),
    pytest.param(CLAIMS, id="all"),
    pytest.param({"birthdate": "1990"}, id="a year"),
    pytest.param({"birthdate": "0000-02-29"}, id="a day without a year"),
    pytest.param({"zoneinfo": "America/Argentina/Buenos_Aires"}, id="a long zone"),
    pytest.param({"zoneinfo": "UTC"}, id="UTC"),
    pytest.param({"locale": "de"}, id="a language"),
    pytest.param({"locale": "en_US"}, id="a locale as POSIX writes it"),
    pytest.param({"phone_number": "+49 30 1234;ext=5"}, id="an extension"),
    pytest.param({"address": {"country": "AT"}}, id="a country alone"),
    pytest.param({"name": "Jürgen 🦊"}, id="beyond ASCII"),
]
BAD = [
    pytest.param({"sub": "usr_x"}, id="the subject"),
    pytest.param({"email": "a@example.com"}, id="what the account tells"),
    pytest.param({"updated_at": 1}, id="when it was updated"),
    pytest.param({"shoe_size": "42"}, id="no standard claim"),
    pytest.param({"name": ""}, id="empty"),
    pytest.param({"name": 1}, id="a number"),
    pytest.param({"name": "a\nb"}, id="line break"),
    pytest.param({"name": "x" * 1_001}, id="endless"),
    pytest.param({"website": "javascript:alert(1)"}, id="no web page"),
    pytest.param({"picture": "/a.png"}, id="relative"),
    pytest.param({"profile": "https://"}, id="no host"),
    pytest.param({"profile": "https://[::1"}, id="no URL"),
    pytest.param({"birthdate": "1990-13-01"}, id="no month"),
    pytest.param({"birthdate": "17.05.1990"}, id="a date as Germans write it"),
    pytest.param({"birthdate": "1990-02-30"}, id="no day"),
    pytest.param({"zoneinfo": "../../etc/passwd"}, id="no zone"),
    pytest.param({"locale": "english please"}, id="no language"),
    pytest.param({"phone_number": "call me"}, id="no number"),
    pytest.param({"phone_number_verified": True}, id="a verified number that is not there"),
    pytest.param({"phone_number": "+49301234", "phone_number_verified": "true"}, id="flag as text"),
    pytest.param({"address": "12 Elm Street"}, id="address as text"),
    pytest.param({"address": {}}, id="empty address"),
    pytest.param({"address": {"planet": "Earth"}}, id="part of no address"),
    pytest.param({"address": {"country": 1}}, id="country as number"),
    pytest.param({"address": {"country": "A\nT"}}, id="a country in two lines"),
]


@pytest.mark.parametrize("claims", GOOD)
def test_good_claims_hold(claims: dict[str, Any]) -> None:
    check_claims(claims)


@pytest.mark.parametrize("claims", BAD)
def test_bad_claims_are_refused(claims: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=r"^claim: "):
        check_claims(claims)


def test_every_standard_claim_is_stored_or_told_by_the_account() -> None:
    told = {"preferred_username", "email", "email_verified", "updated_at"}
    assert set(STORED_CLAIMS) | told == STANDARD_CLAIMS
    assert CLAIMS.keys() == set(STORED_CLAIMS)


async def test_claims_are_set_changed_and_taken_away(cheap_hashing: PasswordHashing) -> None:
    bench = await Workbench(cheap_hashing).start()
    accounts = bench.core.accounts
    made = await accounts.create("jo", "jo@example.com", Secret(PASSWORD), claims={"name": "Jo"}, actor="tests")
    assert made.claims == {"name": "Jo"}
    await accounts.set_claims("jo", {"nickname": "J", "name": None}, actor="tests")
    assert (await accounts.get("jo")).claims == {"nickname": "J"}
    with pytest.raises(InvalidInput):
        await accounts.set_claims("jo", {"birthdate": "x"}, actor="tests")
    with pytest.raises(NotFound):
        await accounts.set_claims("nobody", {"name": "x"}, actor="tests")
    assert bench.kinds() == ["user.created", "user.claims_set"]
