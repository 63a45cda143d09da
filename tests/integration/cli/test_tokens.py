"""``authcenter tokens``."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.integration.cli.console import Console
from tests.integration.cli.issuing import Issued, issue, refresh

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory, migrated: Console) -> Console:
    """With a key, two clients and two users."""
    console = migrated.copied_to(tmp_path_factory.mktemp("furnished"))
    console.told("keys", "rotate")
    for client_id in ("shop", "till"):
        console.told("clients", "create", "--id", client_id, "--grant", "refresh_token")
    for username in ("jo", "al"):
        console.user(username)
    return console


@pytest.fixture
def console(tmp_path: Path, furnished: Console) -> Console:
    return furnished.copied_to(tmp_path)


@pytest.fixture(scope="module")
def sample(furnished: Console) -> Issued:
    """Known to every console of these tests."""
    return issue(furnished, "shop", username="jo")


def inspected(console: Console, token: str) -> dict[str, Any]:
    """What ``inspect`` tells, with its exit code beside its verdict."""
    done = console.run("tokens", "inspect", "--json", stdin=token + "\n")
    told: dict[str, Any] = json.loads(done.out)
    assert done.exit_code == (0 if told["accepted"] else 1)
    assert done.err == ""
    assert token not in done.out
    return told


def accepted(console: Console, issued: Issued) -> tuple[bool, bool]:
    """Whether the access token and the refresh token would be accepted."""
    access, held = inspected(console, issued.access)["accepted"], inspected(console, issued.refresh)["accepted"]
    return access, held


def test_a_good_access_token_is_told_whole_without_itself(sample: Issued, console: Console) -> None:
    told = inspected(console, sample.access)
    assert (told["accepted"], told["rule"], told["kind"]) == (True, None, "access token")
    assert (told["issued_here"], told["key_state"]) == (True, "current")
    assert told["header"]["typ"] == "at+jwt"
    assert told["claims"] == sample.claims
    assert told["times"]["auth_time"] == "2023-11-14T22:13:20Z"
    assert set(told["times"]) == {"exp", "nbf", "iat", "auth_time"}


def test_people_read_the_times_beside_the_claims(sample: Issued, console: Console) -> None:
    done = console.run("tokens", "inspect", stdin=sample.access)
    assert "1700000000 (2023-11-14T22:13:20Z)" in done.out
    assert sample.access.rpartition(".")[2] not in done.out


def test_a_good_refresh_token_is_told_with_its_family(sample: Issued, console: Console) -> None:
    told = inspected(console, sample.refresh)
    assert (told["accepted"], told["kind"], told["state"]) == (True, "refresh token", "unspent")
    assert (told["fam"], told["client_id"], told["sub"]) == (sample.claims["fam"], "shop", sample.claims["sub"])
    assert (told["scope"], told["aud"], told["family_ended_at"]) == ("read", ["https://api.example"], None)


def tampered(token: str) -> str:
    head, payload, signature = token.split(".")
    return f"{head}.{payload}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


REFUSED = [
    pytest.param(lambda issued: tampered(issued.access), "token_signature", id="tampered"),
    pytest.param(lambda issued: issued.access.rpartition(".")[0], "token_malformed", id="cut off"),
    pytest.param(lambda issued: issued.access + "=", "token_malformed", id="padded"),
    pytest.param(lambda issued: "plainly none", "token_malformed", id="no token"),
    pytest.param(lambda issued: "e30.e30.e30", "token_type", id="empty objects"),
    pytest.param(lambda issued: "." * 60_000, "token_malformed", id="huge"),
    pytest.param(lambda issued: "жетон", "token_malformed", id="beyond ASCII"),
    pytest.param(lambda issued: issued.refresh[:-1] + "~", "refresh_unknown", id="unknown refresh token"),
]


@pytest.mark.parametrize(("made", "rule"), REFUSED)
def test_a_refused_token_is_explained(
    sample: Issued, console: Console, made: Callable[[Issued], str], rule: str
) -> None:
    told = inspected(console, made(sample))
    assert (told["accepted"], told["rule"]) == (False, rule)
    assert told["cause"]
    assert told["remedy"]


def test_an_expired_token_is_told_as_such(console: Console) -> None:
    told = inspected(console, issue(console, "shop", age=HOUR).access)
    assert (told["rule"], told["issued_here"]) == ("token_expired", True)


def test_a_spent_refresh_token_is_told_as_such(console: Console) -> None:
    first = issue(console, "shop")
    assert accepted(console, refresh(console, first)) == (True, True)
    told = inspected(console, first.refresh)
    assert (told["rule"], told["state"]) == ("refresh_replayed", "spent")


def test_a_token_of_a_revoked_key_names_the_keys_state(console: Console) -> None:
    issued = issue(console, "shop")
    (key,) = console.told("keys", "list")
    console.told("keys", "revoke", key["kid"], "--yes")
    told = inspected(console, issued.access)
    assert (told["accepted"], told["key_state"]) == (False, "revoked")


@pytest.mark.parametrize("stdin", ["", " \n\t", b"\xff\xfe", "x" * 70_000], ids=["nothing", "blanks", "bytes", "huge"])
@pytest.mark.parametrize("act", [["inspect"], ["revoke", "--token-stdin"]], ids=["inspect", "revoke"])
def test_what_is_no_token_is_wrong_usage(console: Console, act: list[str], stdin: str | bytes) -> None:
    console.refused("tokens", *act, stdin=stdin, exit_code=2)


def test_one_access_token_is_revoked_and_its_sibling_is_not(console: Console) -> None:
    first = issue(console, "shop")
    second = refresh(console, first)
    told = console.told("tokens", "revoke", "--token-stdin", "--reason", "lost", stdin=first.access)
    assert (told["value"], told["expired_already"]) == (first.claims["jti"], False)
    assert inspected(console, first.access)["rule"] == "token_revoked"
    assert accepted(console, second) == (True, True)
    assert console.events()[-1] == "token.revoked"


def test_a_refresh_token_goes_with_its_whole_family(console: Console) -> None:
    issued = issue(console, "shop")
    first = console.told("tokens", "revoke", "--token-stdin", stdin=issued.refresh)
    again = console.told("tokens", "revoke", "--token-stdin", stdin=issued.refresh)
    assert (first["ended_already"], again["ended_already"]) == (False, True)
    assert accepted(console, issued) == (False, False)


def test_revoking_an_expired_token_does_nothing_and_says_so(console: Console) -> None:
    told = console.told("tokens", "revoke", "--token-stdin", stdin=issue(console, "shop", age=HOUR).access)
    assert told["expired_already"] is True
    assert console.rows("SELECT * FROM revoked_tokens") == []


@pytest.mark.parametrize("made", [one.values[0] for one in REFUSED], ids=[one.id for one in REFUSED])
def test_a_token_of_others_is_not_revoked(sample: Issued, console: Console, made: Callable[[Issued], str]) -> None:
    token = made(sample)
    said = console.refused("tokens", "revoke", "--token-stdin", stdin=token, exit_code=1)
    assert "token of this server" in said
    assert token not in said
    assert console.rows("SELECT * FROM revocation_cuts") == []


CUTS = [
    pytest.param("--jti", "jti", (False, True), id="jti: the access token alone"),
    pytest.param("--family", "fam", (False, False), id="family"),
    pytest.param("--session", "sid", (False, False), id="session"),
    pytest.param("--subject", "sub", (False, False), id="subject"),
    pytest.param("--client", "client_id", (False, False), id="client"),
]


@pytest.mark.parametrize(("option", "claim", "afterwards"), CUTS)
def test_what_carries_it_is_refused_and_nothing_else(
    sample: Issued, console: Console, option: str, claim: str, afterwards: tuple[bool, bool]
) -> None:
    other = issue(console, "till")
    told = console.told("tokens", "revoke", option, sample.claims[claim], "--reason", "Ärger")
    assert (told["revoked"], told["value"], told["reason"]) == (claim, sample.claims[claim], "Ärger")
    assert accepted(console, sample) == afterwards
    assert accepted(console, other) == (True, True)
    assert console.events()[-1] == "tokens.cut"


def test_a_cut_lasts_longer_than_any_token(console: Console) -> None:
    console.told("tokens", "revoke", "--jti", "j")
    ((expires_at,),) = console.rows("SELECT expires_at FROM revocation_cuts")
    assert expires_at / 1e6 > (datetime.now(UTC) + timedelta(days=1, minutes=1)).timestamp()


def test_everything_issued_before_an_instant_is_refused(console: Console) -> None:
    old, new = issue(console, "shop", age=timedelta(minutes=10)), issue(console, "shop")
    before = str(int((datetime.now(UTC) - timedelta(minutes=5)).timestamp()))
    told = console.told("tokens", "revoke", "--issued-before", before, "--yes")
    assert told["revoked"] == "everything"
    assert accepted(console, old) == (False, False)
    assert accepted(console, new) == (True, True)


@pytest.mark.parametrize("option", ["--subject", "--client"])
def test_an_instant_narrows_a_subject_or_client(console: Console, option: str) -> None:
    old, new = issue(console, "shop", age=timedelta(minutes=10)), issue(console, "shop")
    other = issue(console, "till", age=timedelta(minutes=10))
    before = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
    console.told("tokens", "revoke", option, "shop", "--issued-before", before)
    assert accepted(console, old) == (False, False)
    assert accepted(console, new) == (True, True)
    assert accepted(console, other) == (True, True)


def test_everybodys_tokens_are_refused_only_on_a_yes(console: Console) -> None:
    assert "say --yes" in console.refused("tokens", "revoke", "--issued-before", "1700000000", exit_code=2)
    assert console.rows("SELECT * FROM revocation_cuts") == []


WRONG = [
    pytest.param([], id="nothing"),
    pytest.param(["--jti", "a", "--family", "b"], id="two things"),
    pytest.param(["--token-stdin", "--jti", "a"], id="a token and another"),
    pytest.param(["--token-stdin", "--issued-before", "1700000000"], id="a token and an instant"),
    pytest.param(["--jti", "a", "--issued-before", "1700000000"], id="a narrowed jti"),
    pytest.param(["--family", "a", "--issued-before", "1700000000"], id="a narrowed family"),
    pytest.param(["--jti", ""], id="empty"),
    pytest.param(["--jti", "a\nb"], id="line end"),
    pytest.param(["--jti", "a\x00"], id="NUL"),
    pytest.param(["--jti", "\udcff"], id="not text"),
    pytest.param(["--jti", "x" * 256], id="long"),
    pytest.param(["--jti", "a", "--reason", "x" * 256], id="long reason"),
    pytest.param(["--jti", "a", "--reason", "a\x1b[2J"], id="escape in the reason"),
    pytest.param(["--issued-before", "yesterday", "--yes"], id="no instant"),
    pytest.param(["--issued-before", "2026-01-01", "--yes"], id="no offset"),
    pytest.param(["--issued-before", "", "--yes"], id="empty instant"),
    pytest.param(["--issued-before", "9" * 40, "--yes"], id="instant beyond time"),
    pytest.param(["--issued-before", "4000000000", "--yes"], id="seconds in the future"),
    pytest.param(["--issued-before", "2999-01-01T00:00:00Z", "--yes"], id="date in the future"),
    pytest.param(["--issued-before", "0001-01-01T00:00:00+14:00", "--yes"], id="before time"),
    pytest.param(["--issued-before", "٣٤", "--yes"], id="digits of others"),
    pytest.param(["--issued-before", "²", "--yes"], id="superscript"),
]


@pytest.mark.parametrize("arguments", WRONG)
def test_wrong_usage_revokes_nothing(console: Console, arguments: list[str]) -> None:
    console.refused("tokens", "revoke", *arguments, stdin="x", exit_code=2)
    assert console.rows("SELECT * FROM revocation_cuts") == []


@pytest.mark.parametrize("arguments", [["--subject", "nobody"], ["--subject", "jo"], ["--client", "nobody"]], ids=str)
def test_a_mistyped_name_is_told(console: Console, arguments: list[str]) -> None:
    assert "nobody" in console.refused("tokens", "revoke", *arguments, exit_code=1) or arguments[1] == "jo"
    assert console.rows("SELECT * FROM revocation_cuts") == []
