"""``/admin/v1/users``."""

import asyncio
from typing import Any

import aiohttp
import pytest
from yarl import URL

from authcenter.accounts.oversight import Oversight
from authcenter.core.cut import NO_CONSEQUENCES
from authcenter.core.digest import Digest
from authcenter.core.errors import OAuthError, TokenRejected
from authcenter.core.event import EventKind
from authcenter.core.identity import Identity
from authcenter.core.job import JobName
from authcenter.core.rules import Rule
from authcenter.core.secret import Secret
from authcenter.core.session import Session
from authcenter.wiring.operators import build_oversight
from tests.authenticator import enrol
from tests.unit.http.operators import PROBLEM, Desk
from tests.workbench import ORIGIN, PASSWORD, Workbench

COOKIE = Digest(bytes(32))


@pytest.fixture
async def desk(web: aiohttp.ClientSession, bench: Workbench) -> Desk:
    return await Desk.open(web, bench)


@pytest.fixture
def oversight(bench: Workbench) -> Oversight:
    return build_oversight(bench.core)


@pytest.fixture
def alice(bench: Workbench) -> str:
    """Where she is found."""
    return f"/users/{bench.alice.subject}"


async def signed_in(oversight: Oversight, bench: Workbench, username: str = "alice", number: int = 0) -> Session:
    user = await bench.core.accounts.get(username)
    return await oversight.sessions.sign_in(user, Digest(bytes([number]) * 32), ORIGIN, amr=["pwd"])


async def linked(bench: Workbench, username: str, provider_subject: str) -> Identity:
    user = await bench.core.accounts.get(username)
    now = bench.clock.now()
    identity = Identity("google", provider_subject, user.subject, f"{username}@gmail.example", "", now, now)
    assert await bench.core.stores.identities.link(identity, NO_CONSEQUENCES)
    return identity


async def test_one_user_is_shown_without_any_secret(desk: Desk, bench: Workbench, alice: str) -> None:
    shown = await desk.get(alice)
    assert shown.body == {
        "sub": bench.alice.subject,
        "username": "alice",
        "email": "alice@example.com",
        "email_verified": True,
        "roles": ["reader"],
        "claims": {},
        "disabled": False,
        "reset_required": False,
        "created_at": "2030-01-01T12:00:00Z",
        "updated_at": "2030-01-01T12:00:00Z",
    }


@pytest.mark.parametrize(
    ("begins", "found"),
    [
        ("", ["alice", "bob", "olga"]),
        ("AL", ["alice"]),
        ("bob@", ["bob"]),
        ("ice", []),
        ("%", []),
        ("_lice", []),
        ("  olga ", ["olga"]),
        ("usr_", ["alice", "bob", "olga"]),
        ("USR_", []),
        ("\u2160", []),
        ("' OR 1=1 --", []),
    ],
    ids=repr,
)
async def test_users_are_found_by_how_name_address_or_subject_begin(
    desk: Desk, bench: Workbench, begins: str, found: list[str]
) -> None:
    await bench.core.accounts.create("bob", "bob@example.com", Secret(PASSWORD), actor="tests")
    assert [user["username"] for user in (await desk.get("/users", q=begins)).items] == found


async def test_a_user_is_found_by_the_whole_subject(desk: Desk, bench: Workbench) -> None:
    assert [user["username"] for user in (await desk.get("/users", q=bench.alice.subject)).items] == ["alice"]


async def test_pages_follow_each_other_whatever_is_made_meanwhile(desk: Desk, bench: Workbench) -> None:
    for number in range(5):
        await bench.core.accounts.create(f"user{number}", f"u{number}@example.com", Secret(PASSWORD), actor="tests")
    seen: list[str] = []
    query = {"limit": "3"}
    while True:
        page = await desk.get("/users", **query)
        assert len(page.items) <= 3
        seen += [user["username"] for user in page.items]
        if page.body["next_cursor"] is None:
            break
        query["cursor"] = page.body["next_cursor"]
        if len(seen) == 3:
            await bench.core.accounts.create("aaa", "aaa@example.com", Secret(PASSWORD), actor="tests")
    assert seen == ["alice", "olga", *(f"user{number}" for number in range(5))]


async def test_a_page_that_ends_with_the_last_is_the_last(desk: Desk) -> None:
    assert (await desk.get("/users", limit="2")).body["next_cursor"] is None


MALFORMED = [
    pytest.param({"limit": "0"}, 400, Rule.PAGE_MALFORMED, id="nothing"),
    pytest.param({"limit": "201"}, 400, Rule.PAGE_MALFORMED, id="too many"),
    pytest.param({"limit": "-1"}, 400, Rule.PAGE_MALFORMED, id="less than nothing"),
    pytest.param({"limit": "٣"}, 400, Rule.PAGE_MALFORMED, id="other digits"),
    pytest.param({"limit": "9" * 5_000}, 400, Rule.PAGE_MALFORMED, id="a huge number"),
    pytest.param({"limit": ""}, 400, Rule.PAGE_MALFORMED, id="an empty limit"),
    pytest.param({"cursor": "!"}, 400, Rule.PAGE_MALFORMED, id="no cursor"),
    pytest.param({"cursor": "_w"}, 400, Rule.PAGE_MALFORMED, id="a cursor of no text"),
    pytest.param({"cursor": "AA"}, 400, Rule.PAGE_MALFORMED, id="a cursor of NUL"),
    pytest.param({"cursor": "YQ" * 2_001}, 400, Rule.PAGE_MALFORMED, id="a huge cursor"),
    pytest.param({"q": "x" * 641}, 422, Rule.INPUT_REFUSED, id="a huge search"),
    pytest.param({"q": "a\x01b"}, 422, Rule.INPUT_REFUSED, id="a control character"),
    pytest.param({"q": "a\x00b"}, 400, Rule.FORM_MALFORMED, id="NUL"),
    pytest.param({"search": "a"}, 400, Rule.QUERY_UNKNOWN, id="an unknown parameter"),
    pytest.param({"resource": "a"}, 400, Rule.QUERY_UNKNOWN, id="the one that may repeat elsewhere"),
]


@pytest.mark.parametrize(("query", "status", "rule"), MALFORMED)
async def test_a_malformed_search_is_refused(desk: Desk, query: dict[str, str], status: int, rule: Rule) -> None:
    refused = await desk.get("/users", **query)
    assert (refused.status, refused.headers["Content-Type"]) == (status, PROBLEM)
    assert desk.rule() == rule


async def test_a_parameter_stands_once(desk: Desk) -> None:
    assert (await desk.send("GET", "/users?q=a&q=b")).status == 400
    assert desk.rule() == Rule.PARAMETER_REPEATED


async def test_a_disabled_user_is_out_at_once_and_enabled_again_what_was_stays_dead(
    desk: Desk, bench: Workbench, oversight: Oversight, alice: str
) -> None:
    session = await signed_in(oversight, bench)
    tokens = await bench.issue()
    done = await desk.post(f"{alice}/disable")
    assert (done.status, done.body["disabled"]) == (200, True)
    with pytest.raises(TokenRejected):
        await bench.core.verifier.read(tokens.access)
    with pytest.raises(OAuthError):
        await bench.refresh(tokens.refresh)
    with pytest.raises(OAuthError):
        await bench.issue()
    assert (await desk.get(f"{alice}/sessions")).items == []
    assert await oversight.sessions.current(COOKIE) is None
    assert (await desk.post(f"{alice}/enable")).body["disabled"] is False
    bench.clock.advance(2)
    with pytest.raises(TokenRejected):
        await bench.core.verifier.read(tokens.access)
    assert bench.record.tables.sessions[session.session_id][0].ended_at is not None
    assert await bench.active((await bench.issue()).access)


ACTS = [
    pytest.param("disable", EventKind.USER_DISABLED, id="disable"),
    pytest.param("enable", EventKind.USER_ENABLED, id="enable"),
    pytest.param("logout", EventKind.USER_LOGGED_OUT, id="log out"),
    pytest.param("require-reset", EventKind.USER_RESET_REQUIRED, id="require a reset"),
]


@pytest.mark.parametrize(("act", "kind"), ACTS)
@pytest.mark.parametrize("person", [False, True], ids=["a client", "a person"])
async def test_the_event_of_an_act_names_who_asked_and_the_request(
    desk: Desk, bench: Workbench, alice: str, act: str, kind: EventKind, person: bool
) -> None:
    if act == "enable":
        await bench.core.accounts.disable("alice", actor="tests")
    if person:
        desk.token = await desk.persons_token()
    actor = (await bench.core.accounts.get("olga")).subject if person else "backoffice"
    done = await desk.post(f"{alice}/{act}")
    event = bench.events[-1]
    assert (done.status, event.kind, event.actor, event.subject) == (200, kind, actor, bench.alice.subject)
    assert event.origin is not None
    assert event.origin.request_id == done.headers["X-Request-Id"]


async def test_nobody_disables_themselves(desk: Desk, bench: Workbench) -> None:
    olga = await bench.core.accounts.get("olga")
    desk.token = await desk.persons_token()
    refused = await desk.post(f"/users/{olga.subject}/disable")
    assert (refused.status, refused.headers["Content-Type"]) == (409, PROBLEM)
    assert (await bench.core.accounts.get("olga")).disabled_at is None
    assert EventKind.USER_DISABLED not in bench.kinds()
    desk.token = await desk.own_token()
    assert (await desk.post(f"/users/{olga.subject}/disable")).status == 200


@pytest.mark.parametrize("act", ["logout", "require-reset"])
async def test_what_was_issued_before_is_refused_at_once(desk: Desk, bench: Workbench, alice: str, act: str) -> None:
    before = (await bench.issue()).access
    assert (await desk.post(f"{alice}/{act}")).status == 200
    with pytest.raises(TokenRejected):
        await bench.core.verifier.read(before)


async def test_roles_are_set_and_where_one_is_lost_what_said_it_is_refused(
    desk: Desk, bench: Workbench, alice: str
) -> None:
    before = (await bench.issue()).access
    done = await desk.put(f"{alice}/roles", {"roles": ["reader", "operator", "operator"]})
    assert (done.status, done.body["roles"]) == (200, ["operator", "reader"])
    assert await bench.active(before)
    event = bench.events[-1]
    assert (event.kind, event.actor) == (EventKind.USER_ROLES_SET, "backoffice")
    assert event.context == {"given": ["operator"], "taken": []}
    assert (await desk.put(f"{alice}/roles", {"roles": ["reader", "operator"]})).status == 200
    assert bench.events[-1] is event
    assert (await desk.put(f"{alice}/roles", {"roles": []})).body["roles"] == []
    assert bench.events[-1].context == {"given": [], "taken": ["operator", "reader"]}
    with pytest.raises(TokenRejected):
        await bench.core.verifier.read(before)


NOT_ROLES = [
    pytest.param({}, 422, id="nothing"),
    pytest.param({"roles": None}, 422, id="null"),
    pytest.param({"roles": "operator"}, 422, id="no list"),
    pytest.param({"roles": [7]}, 422, id="a number"),
    pytest.param({"roles": ["two words"]}, 422, id="two words"),
    pytest.param({"roles": [""]}, 422, id="an empty one"),
    pytest.param({"roles": ["x" * 65]}, 422, id="a long one"),
    pytest.param({"roles": [str(number) for number in range(65)]}, 422, id="many"),
    pytest.param({"roles": ["x" * 70_000]}, 413, id="huge"),
    pytest.param({"roles": [], "disabled": True}, 422, id="something else, too"),
    pytest.param(["operator"], 400, id="a list"),
    pytest.param("\ud800", 400, id="no text"),
]


@pytest.mark.parametrize(("document", "status"), NOT_ROLES)
async def test_what_are_no_roles_changes_nothing(
    desk: Desk, bench: Workbench, alice: str, document: Any, status: int
) -> None:
    refused = await desk.put(f"{alice}/roles", document)
    assert (refused.status, refused.headers["Content-Type"]) == (status, PROBLEM)
    assert bench.alice.roles == {"reader"}
    assert bench.events == []


@pytest.mark.parametrize(
    ("body", "kind", "rule"),
    [
        pytest.param(b"{", "application/json", Rule.JSON_MALFORMED, id="half a document"),
        pytest.param(b"\xff", "application/json", Rule.JSON_MALFORMED, id="bytes"),
        pytest.param(b"[" * 50_000, "application/json", Rule.JSON_MALFORMED, id="deep"),
        pytest.param(b'{"roles": [], "roles": []}', "application/json", Rule.JSON_MALFORMED, id="a member twice"),
        pytest.param(b'{"roles": ["\\u0000"]}', "application/json", Rule.JSON_MALFORMED, id="NUL"),
        pytest.param(b"roles=operator", "application/x-www-form-urlencoded", Rule.CONTENT_TYPE, id="a form"),
    ],
)
async def test_a_body_that_is_no_document_is_refused(
    desk: Desk, alice: str, body: bytes, kind: str, rule: Rule
) -> None:
    headers = {"Authorization": f"Bearer {desk.token}", "Content-Type": kind}
    async with desk.web.put(f"/admin/v1{alice}/roles", data=body, headers=headers) as answer:
        assert (answer.status, answer.headers["Content-Type"]) == (400, PROBLEM)
    assert desk.rule() == rule


async def test_sessions_are_listed_and_one_is_ended_with_all_that_hangs_on_it(
    desk: Desk, bench: Workbench, oversight: Oversight, alice: str
) -> None:
    first = await signed_in(oversight, bench)
    bench.clock.advance(5)
    second = await signed_in(oversight, bench, number=1)
    await bench.core.stores.sessions.note_client(second.session_id, "app", bench.clock.now())
    listed = (await desk.get(f"{alice}/sessions")).items
    assert [one["sid"] for one in listed] == [second.session_id, first.session_id]
    assert listed[0] == {
        "sid": second.session_id,
        "ip": "192.0.2.1",
        "browser": "tests",
        "system": "",
        "user_agent": "tests",
        "acr": "urn:authcenter:acr:1fa",
        "amr": ["pwd"],
        "clients": ["app"],
        "auth_time": "2030-01-01T12:00:05Z",
        "created_at": "2030-01-01T12:00:05Z",
        "last_active_at": "2030-01-01T12:00:05Z",
        "expires_at": listed[0]["expires_at"],
    }
    assert (await desk.delete(f"{alice}/sessions/{second.session_id}")).status == 204
    assert [one["sid"] for one in (await desk.get(f"{alice}/sessions")).items] == [first.session_id]
    ended = bench.events[-1]
    assert (ended.kind, ended.actor) == (EventKind.SESSION_ENDED, "backoffice")
    assert ended.context["sid"] == second.session_id
    assert (await desk.delete(f"{alice}/sessions/{second.session_id}")).status == 204
    assert bench.events[-1] is ended


async def test_identities_are_listed_and_one_is_unlinked_also_the_last(
    desk: Desk, bench: Workbench, alice: str
) -> None:
    await linked(bench, "alice", "auth0|1/2")
    assert (await desk.get(f"{alice}/identities")).items == [
        {
            "provider": "google",
            "provider_subject": "auth0|1/2",
            "email": "alice@gmail.example",
            "name": "",
            "linked_at": "2030-01-01T12:00:00Z",
            "used_at": "2030-01-01T12:00:00Z",
        }
    ]
    assert await unlink(desk, alice, "auth0%7C1%2F2") == 204
    assert (await desk.get(f"{alice}/identities")).items == []
    assert (bench.events[-1].kind, bench.events[-1].actor) == (EventKind.IDENTITY_UNLINKED, "backoffice")
    assert [row.job.name for row in bench.record.tables.outbox.values()] == [JobName.MAIL]
    assert await unlink(desk, alice, "auth0%7C1%2F2") == 404


async def test_second_factors_are_shown_and_taken_away(desk: Desk, bench: Workbench, alice: str) -> None:
    await enrol(bench)
    desk.token = await desk.own_token()
    assert (await desk.get(f"{alice}/second-factors")).items == [{"factor": "totp"}]
    assert (await desk.delete(f"{alice}/second-factors")).status == 204
    assert (await desk.get(f"{alice}/second-factors")).items == []
    assert (bench.events[-1].kind, bench.events[-1].actor) == (EventKind.SECOND_FACTORS_RESET, "backoffice")


async def test_what_belongs_to_somebody_else_is_not_there(
    desk: Desk, bench: Workbench, oversight: Oversight, alice: str
) -> None:
    olga = f"/users/{(await bench.core.accounts.get('olga')).subject}"
    session = await signed_in(oversight, bench)
    await linked(bench, "alice", "1")
    for path in (f"{olga}/sessions/{session.session_id}", f"{olga}/identities/google/1"):
        refused = await desk.delete(path)
        assert (refused.status, refused.headers["Content-Type"]) == (404, PROBLEM)
        assert desk.rule() == Rule.NAME_UNKNOWN
    assert len((await desk.get(f"{alice}/sessions")).items) == 1
    assert len((await desk.get(f"{alice}/identities")).items) == 1


NOBODY = ["usr_nobody", "alice", "alice@example.com", "usr_", "x" * 5_000, "usr_%00", "usr_%ff", "%20", "usr_%2F..%2Fx"]
BELOW = [
    ("GET", ""),
    ("POST", "/disable"),
    ("POST", "/enable"),
    ("POST", "/require-reset"),
    ("POST", "/logout"),
    ("PUT", "/roles"),
    ("GET", "/sessions"),
    ("DELETE", "/sessions/x"),
    ("GET", "/identities"),
    ("DELETE", "/identities/google/1"),
    ("GET", "/second-factors"),
    ("DELETE", "/second-factors"),
]


@pytest.mark.parametrize("name", NOBODY, ids=lambda name: name[:20])
async def test_a_user_goes_by_the_subject_alone(desk: Desk, bench: Workbench, name: str) -> None:
    for method, below in BELOW:
        refused = await raw(desk, method, f"/users/{name}{below}")
        assert refused == (404, PROBLEM), below
    assert bench.events == []


@pytest.mark.parametrize(
    "sid", ["nobody", "%00", "%ff", "x" * 3_000, "..%2f..%2f", "%F0%9F%94%A5"], ids=lambda s: s[:9]
)
async def test_a_session_that_there_is_not_is_404(desk: Desk, alice: str, sid: str) -> None:
    assert (await raw(desk, "DELETE", f"{alice}/sessions/{sid}"))[0] == 404


async def test_a_deleted_account_is_nobodys(desk: Desk, bench: Workbench, alice: str) -> None:
    assert await bench.core.erasure.erase(bench.alice.subject, language="en")
    assert (await desk.get(alice)).status == 404
    assert [user["username"] for user in (await desk.get("/users")).items] == ["olga"]


@pytest.mark.parametrize(
    ("method", "below", "allow"),
    [
        ("DELETE", "", "GET, HEAD"),
        ("GET", "/disable", "POST"),
        ("PUT", "/second-factors", "DELETE, GET, HEAD"),
        ("POST", "/roles", "PUT"),
        ("PATCH", "/sessions/x", "DELETE"),
    ],
)
async def test_another_method_is_a_problem_that_names_those_there_are(
    desk: Desk, alice: str, method: str, below: str, allow: str
) -> None:
    refused = await desk.send(method, f"{alice}{below}")
    assert (refused.status, refused.headers["Content-Type"], refused.headers["Allow"]) == (405, PROBLEM, allow)


@pytest.mark.parametrize("path", ["", "/", "/users/", "/nothing", "/users/usr_x/nothing", "/users//disable", "s"])
async def test_another_path_is_a_problem(desk: Desk, path: str) -> None:
    assert await raw(desk, "POST", path) == (404, PROBLEM)


async def test_head_is_get_without_a_body(desk: Desk, alice: str) -> None:
    answer = await desk.send("HEAD", alice)
    assert (answer.status, answer.body) == (200, None)


@pytest.mark.parametrize(
    "body", [b"{", b"\xff" * 100, b"x" * 70_000, b'{"disabled": false}'], ids=["half", "bytes", "huge", "a document"]
)
async def test_a_body_where_none_is_asked_for_changes_nothing(
    desk: Desk, bench: Workbench, alice: str, body: bytes
) -> None:
    headers = {"Authorization": f"Bearer {desk.token}", "Content-Type": "application/json"}
    async with desk.web.post(f"/admin/v1{alice}/disable", data=body, headers=headers) as answer:
        assert answer.status == 200
    assert bench.alice.disabled_at is not None


async def test_when_the_record_is_gone_nothing_is_done_and_the_caller_is_told_so(
    desk: Desk, bench: Workbench, alice: str
) -> None:
    bench.board.down = True
    for method, below in BELOW:
        refused = await desk.send(method, f"{alice}{below}", document={"roles": []})
        assert (refused.status, refused.headers["Content-Type"]) == (503, PROBLEM)
        assert refused.headers["Retry-After"]
    bench.board.down = False
    assert bench.alice.disabled_at is None


async def test_of_acts_at_the_same_time_each_is_done_once(desk: Desk, bench: Workbench, alice: str) -> None:
    answers = await asyncio.gather(*(desk.post(f"{alice}/disable") for _ in range(10)))
    assert {answer.status for answer in answers} == {200}
    assert bench.kinds().count(EventKind.USER_DISABLED) == 1


async def unlink(desk: Desk, user: str, encoded: str) -> int:
    return (await raw(desk, "DELETE", f"{user}/identities/google/{encoded}"))[0]


async def raw(desk: Desk, method: str, path: str) -> tuple[int, str]:
    """With the path as it stands here."""
    headers: dict[str, Any] = {"Authorization": f"Bearer {desk.token}"}
    place = URL(f"/admin/v1{path}", encoded=True)
    document = {"roles": []} if method == "PUT" else None
    async with desk.web.request(method, place, headers=headers, json=document, allow_redirects=False) as answer:
        await answer.read()
        return answer.status, str(answer.headers.get("Content-Type", ""))
