"""What the log knows beyond the rule: each sentence from the facts and rows that it needs, and none from others."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from authcenter.audit.chain import GENESIS, link
from authcenter.audit.evidence import _LOOKED_UP, _SAID, evidence_of
from authcenter.core.event import Event, EventKind
from authcenter.core.ids import RequestId
from authcenter.core.origin import RequestOrigin
from authcenter.core.rules import Rule
from authcenter.stores.memory.audit_trail import MemoryAuditTrail
from authcenter.stores.memory.record import MemoryRecord
from authcenter.stores.ports.request_traces import RequestTrace
from tests.workbench import START, SetClock

PERSON = "usr_a"


class Log:
    """An audit log, and what it says of a refused request."""

    def __init__(self) -> None:
        self.trail = MemoryAuditTrail(MemoryRecord(SetClock(), link, GENESIS, lambda _: None))
        self._head = (0, GENESIS)

    async def holds(self, kind: EventKind, actor: str, **fields: Any) -> None:
        client_id, subject = fields.pop("client_id", ""), fields.pop("subject", "")
        origin = RequestOrigin(RequestId(fields.pop("request", "")), fields.pop("ip", ""))
        event = Event(kind, actor, client_id, subject, origin, fields)
        row = link(event, START, "writer", self._head[0] + 1, self._head[1])
        self._head = row.sequence, row.row_hash
        await self.trail.append([row])

    async def says(self, rule: Rule, facts: Mapping[str, Mapping[str, Any]], client_id: str = "app") -> str:
        trace = RequestTrace("mine", START, "POST", "/", 400, client_id, "", "", rule, "", json.dumps([]), START)
        return "\n".join(await evidence_of(trace, facts, self.trail))


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.mark.parametrize("rule", sorted(_SAID.keys() | _LOOKED_UP.keys()))
async def test_without_any_fact_nothing_breaks(log: Log, rule: Rule) -> None:
    """Facts are as they were when the request was refused, by an older version perhaps."""
    await log.says(Rule(rule), {})
    await log.says(Rule(rule), {"pkce": {}, "access_token": {}, "revocation": {}, "refresh_lifetime": {}}, "")


CLOCK = {"clock": "NOW"}


@pytest.mark.parametrize(
    ("rule", "check", "facts", "said"),
    [
        (Rule.CODE_EXPIRED, "code_lifetime", {"late_seconds": 7, "expired_at": "THEN", **CLOCK},
         "Late by 7 s: it lapsed at THEN, the clock here said NOW."),
        (Rule.TICKET_EXPIRED, "ticket", {"late_seconds": 7, "expired_at": "THEN", **CLOCK}, "Late by 7 s"),
        (Rule.TOKEN_ISSUED_IN_FUTURE, "token_lifetime",
         {"early_seconds": 90, "issued_at": "THEN", "leeway_seconds": 30, **CLOCK},
         "Early by 90 s: it begins at THEN, the clock here said NOW, and 30 s of leeway are given."),
        (Rule.TOKEN_NOT_YET_VALID, "token_lifetime", {"early_seconds": 90, "valid_from": "THEN", **CLOCK},
         "Early by 90 s: it begins at THEN"),
        (Rule.REQUEST_OBJECT_TIME, "request_object_time", {"early_seconds": 90, "begins_at": "THEN", **CLOCK},
         "or this one lags behind"),
        (Rule.TOKEN_KID, "access_token", {"live_keys": "one two", **CLOCK}, "Keys that were live: one, two."),
        (Rule.TOKEN_KID, "access_token", {"live_keys": "", **CLOCK}, "Keys that were live: none."),
        (Rule.TOKEN_AUDIENCE, "audience", {"expected": "https://a", "came": "https://b"},
         "The token is for https://b; here it must be for https://a."),
        (Rule.REDIRECT_URI, "redirect_uri", {"came": "https://a/b", "registered": "https://a/c https://x"},
         "It differs from https://a/c at character 11: `b` instead of `c`."),
        (Rule.REDIRECT_URI, "redirect_uri", {"came": None, "registered": "https://a/c"}, "named no redirect URI"),
        (Rule.CODE_REDIRECT_URI, "redirect_uri", {"came": "https://a/b", "expected": "https://a/c"},
         "In the authorization request: https://a/c"),
        (Rule.PKCE_MISMATCH, "pkce", {"method": "S256", "expected": "aaa", "came": "bbb"},
         "The challenge is aaa, the verifier makes bbb"),
        (Rule.PKCE_MISMATCH, "pkce", {"method": "S256", "verifier_is_challenge": True}, "sends the challenge twice"),
        (Rule.PKCE_REQUIRED, "pkce", {"challenge_sent": False, "verifier_sent": True}, "here belongs the challenge"),
        (Rule.REQUEST_URI_SPENT, "pushed_request", {"spent_at": "THEN"}, "It was used at THEN."),
        (Rule.USER_PASSWORD_WRONG, "password", {"differs": True}, "the password that came differs"),
    ],
)  # fmt: skip
async def test_what_the_facts_say(log: Log, rule: Rule, check: str, facts: dict[str, Any], said: str) -> None:
    assert said in await log.says(rule, {check: facts})


async def test_who_used_a_code_before_when_and_from_where(log: Log) -> None:
    about: dict[str, Any] = {"client_id": "app", "subject": PERSON, "fam": "f1"}
    await log.holds(EventKind.CODE_ISSUED, PERSON, request="r1", ip="192.0.2.1", **about)
    await log.holds(EventKind.TOKEN_ISSUED, "app", request="r2", ip="192.0.2.2", **about)
    await log.holds(EventKind.CODE_REPLAYED, "app", request="mine", ip="192.0.2.3", **about)
    await log.holds(EventKind.TOKEN_ISSUED, "app", request="r3", **{**about, "fam": "f2"})
    said = await log.says(Rule.CODE_REPLAYED, {"code_unspent": {"family": "f1"}})
    assert said.splitlines() == [
        f"2030-01-01T12:00:00Z code.issued by {PERSON} from 192.0.2.1 (request r1).",
        "2030-01-01T12:00:00Z token.issued by app from 192.0.2.2 (request r2).",
    ]


async def test_when_and_why_a_family_ended(log: Log) -> None:
    await log.holds(EventKind.REFRESH_REPLAYED, "app", client_id="app", subject=PERSON, fam="f1", reason="replayed")
    await log.holds(EventKind.TOKENS_CUT, "cli:ada", subject=PERSON, by="sub", of=PERSON, reason="stolen laptop")
    facts = {"family": "f1", "subject": PERSON, "family_ended_at": "THEN", "family_ended_for": "replayed"}
    said = await log.says(Rule.REFRESH_FAMILY_ENDED, {"refresh_lifetime": facts})
    assert said.splitlines() == [
        "The family ended at THEN: replayed.",
        "2030-01-01T12:00:00Z refresh.replayed by app, because: replayed.",
        "2030-01-01T12:00:00Z tokens.cut by cli:ada, because: stolen laptop.",
    ]


@pytest.mark.parametrize(
    ("event", "named"),
    [
        pytest.param({"kind": EventKind.TOKEN_REVOKED, "jti": "j1"}, True, id="the token"),
        pytest.param({"kind": EventKind.TOKEN_REVOKED, "jti": "j2"}, False, id="another token"),
        pytest.param({"kind": EventKind.FAMILY_ENDED, "fam": "f1"}, True, id="its family"),
        pytest.param({"kind": EventKind.TOKENS_CUT, "by": "fam", "fam": "f1"}, True, id="its family, by an operator"),
        pytest.param({"kind": EventKind.TOKENS_CUT, "client_id": "app"}, True, id="its client"),
        pytest.param({"kind": EventKind.TOKENS_CUT, "client_id": "other"}, False, id="another client"),
        pytest.param({"kind": EventKind.TOKENS_CUT, "subject": PERSON}, True, id="its person"),
        pytest.param({"kind": EventKind.USER_DISABLED, "subject": PERSON}, True, id="its person disabled"),
        pytest.param({"kind": EventKind.SESSION_ENDED, "subject": PERSON}, True, id="a session of its person"),
        pytest.param({"kind": EventKind.KEY_REVOKED, "kid": "k1"}, True, id="its key"),
        pytest.param({"kind": EventKind.KEY_REVOKED, "kid": "k2"}, False, id="another key"),
    ],
)
async def test_by_whom_a_token_was_revoked(log: Log, event: dict[str, Any], named: bool) -> None:
    fields = dict(event)
    await log.holds(fields.pop("kind"), "cli:ada", reason="why", **fields)
    facts = {"jti": "j1", "family": "f1", "client_id": "app", "subject": PERSON, "kid": "k1"}
    said = await log.says(Rule.TOKEN_REVOKED, {"revocation": facts})
    assert (said.count(f"{event['kind']} by cli:ada, because: why.") == 1) == named
    assert bool(said) == named


async def test_when_the_secret_of_a_client_was_rotated(log: Log) -> None:
    await log.holds(EventKind.CLIENT_SECRET_ROTATED, "cli:ada", client_id="app")
    await log.holds(EventKind.CLIENT_SECRET_ROTATED, "cli:bob", client_id="other")
    facts = {"live_secrets": 1, "newest_secret_of": "THEN"}
    said = await log.says(Rule.CLIENT_SECRET_WRONG, {"client_authentication": facts})
    assert "Live secrets of the client: 1, the newest made THEN." in said
    assert "client.secret_rotated by cli:ada" in said
    assert "bob" not in said


async def test_a_client_of_no_name_is_looked_up_nowhere(log: Log) -> None:
    await log.holds(EventKind.CLIENT_SECRET_ROTATED, "cli:ada", client_id="app")
    await log.holds(EventKind.CLIENT_UPDATED, "cli:ada", client_id="app")
    for rule in (Rule.CLIENT_SECRET_WRONG, Rule.CLIENT_UNKNOWN, Rule.CLIENT_DISABLED):
        assert "cli:ada" not in await log.says(rule, {}, client_id="")


async def test_who_disabled_a_person(log: Log) -> None:
    await log.holds(EventKind.USER_DISABLED, "cli:ada", subject=PERSON)
    await log.holds(EventKind.USER_DISABLED, "cli:bob", subject="usr_b")
    said = await log.says(Rule.USER_DISABLED, {"user": {"subject": PERSON}})
    assert "user.disabled by cli:ada" in said
    assert "bob" not in said
