"""``authcenter keys``."""

import json
import secrets
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.integration.cli.console import Console


def test_there_is_none_at_first(console: Console) -> None:
    assert console.told("keys", "list") == []


def test_the_first_key_signs_at_once(console: Console) -> None:
    made = console.told("keys", "rotate")
    assert (made["alg"], made["state"], made["opens"]) == ("ES256", "current", True)
    assert console.told("keys", "list") == [made]


def test_its_algorithm_is_the_policys(console: Console) -> None:
    console.policy.write_text("tokens: {signing_alg: EdDSA}")
    assert console.told("keys", "rotate")["alg"] == "EdDSA"


@pytest.mark.parametrize("alg", ["ES256", "RS256", "PS256", "EdDSA"])
def test_every_algorithm_has_keys(console: Console, alg: str) -> None:
    assert console.told("keys", "rotate", "--alg", alg)["alg"] == alg


def test_a_successor_is_published_before_it_signs(console: Console) -> None:
    console.told("keys", "rotate")
    made = console.told("keys", "rotate")
    assert made["state"] == "next"
    ahead = datetime.fromisoformat(made["signs_from"]) - datetime.fromisoformat(made["created_at"])
    assert timedelta(seconds=1199) <= ahead <= timedelta(seconds=1201)


def test_a_successor_takes_over_now_when_told_to(console: Console) -> None:
    console.told("keys", "rotate")
    console.told("keys", "rotate", "--now")
    assert [key["state"] for key in console.told("keys", "list")] == ["retired", "current"]


def test_a_key_that_is_to_come_can_be_retired(console: Console) -> None:
    first, following = console.told("keys", "rotate"), console.told("keys", "rotate")
    assert console.told("keys", "retire", following["kid"])["state"] == "retired"
    assert "is retired already" in console.refused("keys", "retire", following["kid"], exit_code=1)
    assert "keys rotate --alg ES256 --now" in console.refused("keys", "retire", first["kid"], exit_code=1)


def test_a_revoked_key_is_succeeded_at_once(console: Console) -> None:
    first = console.told("keys", "rotate")
    revoked = console.told("keys", "revoke", first["kid"], "--yes", "--reason", "the laptop was stolen")
    assert (revoked["state"], revoked["opens"]) == ("revoked", None)
    states = {key["kid"]: key["state"] for key in console.told("keys", "list")}
    assert states == {first["kid"]: "revoked", revoked["successor"]: "current"}
    assert console.rows("SELECT kind, value, reason FROM revocation_cuts") == [
        ("kid", first["kid"], "the laptop was stolen")
    ]
    assert "revoked already" in console.refused("keys", "revoke", first["kid"], "--yes", exit_code=1)


def test_a_key_is_revoked_only_on_a_yes(console: Console) -> None:
    made = console.told("keys", "rotate")
    assert "say --yes" in console.refused("keys", "revoke", made["kid"], exit_code=2)
    assert console.told("keys", "list") == [made]


@pytest.mark.parametrize("kid", ["nope", "-yQAKFWq0", "-hAKFWq0", "--KFWq0", "\udcff", "k" * 100_000], ids=ascii)
@pytest.mark.parametrize("act", [["retire"], ["revoke", "--yes"]], ids=lambda act: act[0])
def test_an_unknown_key_is_named(console: Console, act: list[str], kid: str) -> None:
    assert console.refused("keys", *act, kid, exit_code=1).startswith("no key ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["rotate", "--alg", "HS256"],
        ["rotate", "--alg", "none"],
        ["revoke", "x", "--yes", "--reason", "a\nb"],
        ["retire"],
        ["revoke", "x", "--yes", "--reason", "x" * 256],
    ],
    ids=lambda arguments: " ".join(arguments)[:30],
)
def test_wrong_usage_is_refused(console: Console, arguments: list[str]) -> None:
    console.refused("keys", *arguments, exit_code=2)
    assert console.events() == []


def test_keys_move_to_a_new_passphrase(console: Console) -> None:
    made = console.told("keys", "rotate")
    old = console.environment["AUTHCENTER_KEY_PASSPHRASE"]
    new = secrets.token_urlsafe(32)
    console.environment["AUTHCENTER_KEY_PASSPHRASE"] = f"{new},{old}"
    assert console.told("keys", "reencrypt") == {"reencrypted": [made["kid"]], "unopened": []}
    console.environment["AUTHCENTER_KEY_PASSPHRASE"] = new
    assert opens(console) == {made["kid"]: True}
    console.environment["AUTHCENTER_KEY_PASSPHRASE"] = old
    assert opens(console) == {made["kid"]: False}


def test_what_no_passphrase_opens_is_told_and_left(console: Console) -> None:
    made = console.told("keys", "rotate")
    console.environment["AUTHCENTER_KEY_PASSPHRASE"] = secrets.token_urlsafe(32)
    before = console.rows("SELECT private_pem FROM signing_keys")
    done = console.run("keys", "reencrypt", "--json")
    assert done.exit_code == 1
    assert json.loads(done.out) == {"reencrypted": [], "unopened": [made["kid"]]}
    assert done.err == f"authcenter: no passphrase opens {made['kid']}\n"
    assert console.rows("SELECT private_pem FROM signing_keys") == before


def test_a_key_that_does_not_open_here_still_counts_as_the_one_that_signs(console: Console) -> None:
    console.told("keys", "rotate")
    console.environment["AUTHCENTER_KEY_PASSPHRASE"] = secrets.token_urlsafe(32)
    assert console.told("keys", "rotate")["state"] == "next"


def test_private_keys_are_shown_nowhere(console: Console) -> None:
    console.told("keys", "rotate")
    listed = console.run("keys", "list", "--json").out + console.run("keys", "list").out
    assert "PRIVATE" not in listed + str(console.rows("SELECT * FROM auth_audit"))
    ((pem,),) = console.rows("SELECT private_pem FROM signing_keys")
    assert "ENCRYPTED PRIVATE KEY" in pem


def opens(console: Console) -> dict[str, Any]:
    return {key["kid"]: key["opens"] for key in console.told("keys", "list")}
