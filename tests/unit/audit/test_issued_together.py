"""One row for several tokens: nothing is said less of any of them, and each is found by what it is called."""

import json
from dataclasses import replace

import msgspec
import pytest

from authcenter.audit.blast_radius import blast_radius, issued_token
from authcenter.audit.chain import GENESIS, holds, link
from authcenter.audit.issued_together import MOST_TOKENS, Dated, OwnToken, Shared, as_wanted, each
from authcenter.audit.story import tell
from authcenter.core.cut import CutKind
from authcenter.core.event import Event, EventKind
from authcenter.core.ids import milliseconds_of_uuid7, new_jti, uuid7, uuid7_at
from authcenter.keys.ring import LONGEST_TOKEN
from authcenter.stores.ports.audit import AuditRow
from authcenter.stores.ports.audit_trail import AuditFilter
from authcenter.stores.ports.neighbourhood import SPREAD_MILLISECONDS
from authcenter.tokens.cut_targets import Target, TargetedRevocation
from authcenter.tokens.issued_tokens import IssuedTokens
from tests.issued import together
from tests.workbench import START, Workbench

ALIKE = Shared("app", "192.0.2.1", "tests", "key 1", "https://api.example", "read", "client_authentication scope")
FIRST = uuid7()
MADE = milliseconds_of_uuid7(FIRST) or 0


def token(request: str = "", **other: object) -> OwnToken:
    own = {"jti": new_jti(), "digest": "ab" * 32, "fam": "f", "iat": 1_893_456_000, "exp": 1_893_456_900}
    return OwnToken(**{**own, "request": request or uuid7_at(MADE), **other})  # type: ignore[arg-type]


def written(*tokens: tuple[Shared, OwnToken] | Event) -> list[AuditRow]:
    rows, before = list[AuditRow](), GENESIS
    for sequence, one in enumerate(together([(START, recorded) for recorded in tokens]), 1):
        rows.append(link(one.event, one.at, "w", sequence, before))
        before = rows[-1].row_hash
    assert all(map(holds, rows))
    return rows


def test_tokens_that_are_alike_share_a_row_and_each_is_told_whole() -> None:
    tokens = [token() for _ in range(5)]
    (row,) = written(*((ALIKE, one) for one in tokens))
    for one, told in zip(tokens, each(row), strict=True):
        (alone,) = written((ALIKE, one))
        assert json.loads(told.context) == json.loads(alone.context)
        assert (told.jti, told.request_id) == (one.jti, one.request) == (alone.jti, alone.request_id)
        assert (told.client_id, told.actor, told.subject) == ("app",) * 3
        assert (told.ip, told.user_agent, told.event) == (alone.ip, alone.user_agent, alone.event)
        assert issued_token(told) == issued_token(alone)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"client_id": "other"}, id="client"),
        pytest.param({"ip": "192.0.2.2"}, id="address"),
        pytest.param({"user_agent": "curl"}, id="user agent"),
        pytest.param({"kid": "key 2"}, id="key"),
        pytest.param({"audience": ("https://api.example", "https://other.example")}, id="audience"),
        pytest.param({"scope": None}, id="scope"),
        pytest.param({"checks": ""}, id="checks"),
    ],
)
def test_what_is_not_alike_has_rows_of_its_own(other: dict[str, object]) -> None:
    unlike = msgspec.structs.replace(ALIKE, **other)
    rows = written((ALIKE, token()), (unlike, token()), (ALIKE, token()), (unlike, token()))
    assert [len(each(row)) for row in rows] == [2, 2]


def test_a_row_holds_no_more_than_so_many() -> None:
    rows = written(*((ALIKE, token()) for _ in range(2 * MOST_TOKENS + 1)))
    assert [len(each(row)) for row in rows] == [MOST_TOKENS, MOST_TOKENS, 1]


def test_requests_of_one_row_lie_no_further_apart_than_they_are_looked_for() -> None:
    step = SPREAD_MILLISECONDS // 4
    requests = [uuid7_at(MADE + number * step) for number in (0, -2, 2, 3, 5, 6)]
    rows = written(*((ALIKE, token(request)) for request in requests))
    assert [[one.request_id for one in each(row)] for row in rows] == [requests[:3], requests[3:5], requests[5:]]
    assert [row.request_id for row in rows] == [requests[1], requests[3], requests[5]]


def test_whose_request_does_not_say_when_it_was_keeps_a_row_of_its_own() -> None:
    assert len(written(*((ALIKE, token("request-1")) for _ in range(3)))) == 3


def test_what_no_other_json_takes_is_told_all_the_same() -> None:
    tokens = [token(), token()]
    (row,) = written(*((msgspec.structs.replace(ALIKE, scope="\ud800"), one) for one in tokens))
    assert [one.jti for one in each(row)] == [one.jti for one in tokens]
    assert [one.told["scope"] for one in each(row)] == ["\ud800"] * 2


def test_others_events_keep_their_place() -> None:
    revoked = Event(EventKind.TOKEN_REVOKED, "app", context={"jti": "x"})
    persons = Event(EventKind.TOKEN_ISSUED, "app", "app", "usr_1", context={"jti": "y"})
    done = together([(START, one) for one in (revoked, (ALIKE, token()), persons, (ALIKE, token()), revoked)])
    assert [one.event.kind for one in done] == [
        EventKind.TOKEN_REVOKED, EventKind.TOKEN_ISSUED, EventKind.TOKEN_ISSUED, EventKind.TOKEN_REVOKED,
    ]  # fmt: skip
    assert [one.times for one in done] == [1, 2, 1, 1]
    assert done[2] == Dated(START, persons)


def test_one_that_is_changed_in_a_row_breaks_it() -> None:
    one, other = token(), token()
    (row,) = written((ALIKE, one), (ALIKE, other))
    assert not holds(replace(row, context=row.context.replace(other.jti, new_jti())))
    assert not holds(replace(row, request_id=uuid7()))


FORGED = ["", "x", "[1]", "null", '{"exp":"x"}', '{"exp":1,"digest":7}', '{"about":"tokens"}']
FORGED_TOKENS = ["1", "{}", '[1,"x",null]', '[{"exp":"x"}]', '[{"exp":1,"digest":"x"}]']


@pytest.mark.parametrize("context", [*FORGED, *(f'{{"tokens":{tokens}}}' for tokens in FORGED_TOKENS)], ids=str)
def test_a_forged_row_of_another_shape_stops_no_reader(context: str) -> None:
    (row,) = written((ALIKE, token()))
    for one in each(replace(row, context=context)):
        assert issued_token(one) is None


def test_where_nothing_is_looked_for_rows_stay_whole() -> None:
    one, other = token(uuid7_at(MADE)), token(uuid7_at(MADE + 1))
    (row,) = written((ALIKE, one), (ALIKE, other))
    assert as_wanted([row], AuditFilter(client_id="app")) == [row]
    for wanted in (AuditFilter(jti=other.jti), AuditFilter(request_id=other.request)):
        (found,) = as_wanted([row], wanted)
        assert (found.jti, found.request_id) == (other.jti, other.request)
    assert as_wanted([row], AuditFilter(jti=other.jti, request_id=one.request)) == []


async def own_tokens(bench: Workbench, number: int, client: str = "other") -> list[str]:
    """Asked for by requests of one instant, and recorded in one flush. Returns their ``jti``."""
    instant = uuid7()[:-4]
    requests = [f"{instant}{one:04x}" for one in range(number)]
    answers = [await bench.ask("client_credentials", client=client, request_id=one) for one in requests]
    await bench.service.audit.flush()
    return [answer.claims["jti"] for answer in answers]


async def test_each_is_found_by_its_jti_and_its_request(bench: Workbench) -> None:
    counted = bench.metrics.audit_events.value(EventKind.TOKEN_ISSUED)
    known = await own_tokens(bench, 5)
    (row,) = (await bench.stores.trail.find(AuditFilter(event=EventKind.TOKEN_ISSUED), 9)).rows
    assert bench.metrics.audit_events.value(EventKind.TOKEN_ISSUED) == counted + 5
    issued = IssuedTokens(bench.stores.trail, bench.core.revocations)
    for told, jti in zip(each(row), known, strict=True):
        found = await issued.find(jti)
        assert found is not None
        assert (found.jti, found.client_id, found.subject) == (jti, "other", "other")
        story = await tell(told.request_id, bench.stores.traces, bench.stores.trail)
        assert story is not None
        assert story.granted
        (said,) = story.events
        assert jti in said
        assert not any(other in said for other in known if other != jti)
    assert await issued.find(new_jti()) is None


async def test_one_is_revoked_by_its_jti_and_its_neighbours_live_on(bench: Workbench) -> None:
    known = await own_tokens(bench, 3)
    core = bench.core
    targets = TargetedRevocation(core.revocations, core.lifetimes, core.stores.trail, core.clock)
    assert (await targets.reach(Target(CutKind.JTI, known[1]))).tokens == 1
    assert (await targets.reach(Target(CutKind.CLIENT, "other"))).tokens == 3
    issued = IssuedTokens(bench.stores.trail, core.revocations)
    found = await issued.find(known[1])
    assert found is not None
    await issued.revoke(found, "lost", "tests")
    await bench.follow()
    assert (await targets.reach(Target(CutKind.CLIENT, "other"))).tokens == 2


@pytest.mark.parametrize(
    ("most", "tokens", "complete"),
    [(1, 1, False), (4, 4, False), (5, 5, False), (9, 9, False), (10, 10, True), (11, 10, True)],
)
async def test_tokens_count_not_rows(bench: Workbench, most: int, tokens: int, complete: bool) -> None:
    await own_tokens(bench, 5)
    await own_tokens(bench, 5)
    told = await blast_radius(
        CutKind.CLIENT,
        "other",
        bench.stores.trail,
        bench.clock.now(),
        longest=LONGEST_TOKEN,
        refused=lambda _: False,
        most=most,
    )
    assert (told.tokens, told.complete) == (tokens, complete)
