"""Which requests can be explained, as what, and that nobody outside hears of it."""

import ast
import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

import authcenter
from authcenter.audit.story import Story, tell
from authcenter.authorization.ticket import LIFETIME_SECONDS
from authcenter.core.checks import begin_trace
from authcenter.core.explanations import EXPLANATIONS
from authcenter.core.ids import RequestId
from authcenter.core.origin import RequestOrigin
from authcenter.core.rules import Rule
from authcenter.http.context import RequestNotes
from authcenter.http.request_tracer import _EXPLAINED, RequestTracer
from authcenter.stores.ports.request_traces import RequestTrace, TraceFilter
from tests.unit.http.browsing import Tab
from tests.unit.http.device_and_logout_pages import BYE, REDIRECT, add_shop, authorize, logout
from tests.workbench import PASSWORD, Workbench

PACKAGE = Path(authcenter.__file__).parent
TOKEN = "/oauth/token"


def tracer(bench: Workbench) -> RequestTracer:
    frame = bench.service.public.__self__  # type: ignore[attr-defined]
    found: RequestTracer = frame.tracer
    return found


async def kept(bench: Workbench, response: aiohttp.ClientResponse) -> RequestTrace | None:
    await tracer(bench).log.flush()
    return await bench.stores.traces.get(response.headers["X-Request-Id"])


async def told(bench: Workbench, response: aiohttp.ClientResponse) -> Story:
    await tracer(bench).log.flush()
    story = await tell(response.headers["X-Request-Id"], bench.stores.traces, bench.stores.trail)
    assert story is not None
    return story


def basic(bench: Workbench, client: str = "app", secret: str | None = None) -> dict[str, str]:
    pair = f"{client}:{bench.secrets[client] if secret is None else secret}"
    return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}


@pytest.mark.parametrize("route", sorted(_EXPLAINED))
async def test_whatever_rule_refuses_leaves_a_trace_with_the_check_that_did(bench: Workbench, route: str) -> None:
    """Also where the site that refused said nothing itself."""
    made = tracer(bench)
    for rule in Rule:
        begin_trace(made.key)
        notes = RequestNotes(RequestOrigin(RequestId(rule.value)), client_id="app", verdict=(rule, "the hint"))
        made.record(route, "POST", 400, notes)
    await made.log.flush()
    for rule in Rule:
        story = await tell(rule.value, bench.stores.traces, bench.stores.trail)
        assert story is not None
        assert (story.route, story.rule, story.hint, story.granted) == (route, rule, "the hint", False)
        assert [(check.name, check.passed) for check in story.checks] == [(rule.value, False)]
        assert (story.cause, story.remedy) == (EXPLANATIONS[rule].cause, EXPLANATIONS[rule].remedy)


def refusing() -> Iterator[tuple[str, str, str]]:
    """Each function of what decides at the traced endpoints that raises by a rule: file, name, source."""
    for package in ("authorization", "grants", "proofs", "tokens", "clients/authentication.py"):
        place = PACKAGE / package
        for file in [place] if place.is_file() else sorted(place.rglob("*.py")):
            source = file.read_text()
            for node in ast.walk(ast.parse(source)):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    text = ast.get_source_segment(source, node) or ""
                    raises = [one for one in ast.walk(node) if isinstance(one, ast.Raise) and one.exc is not None]
                    if any("Rule." in (ast.get_source_segment(source, one) or "") for one in raises):
                        yield str(file.relative_to(PACKAGE)), node.name, text


SAYS_ENOUGH_IN_ITS_HINT = {
    "authorization/logout.py",
    "authorization/parameters.py",
    "authorization/reading.py",
    "authorization/request_objects.py",
}
"""Of what is malformed there is nothing to compare: the rule and its hint name it."""


@pytest.mark.parametrize(("file", "name", "source"), [pytest.param(*one, id=":".join(one[:2])) for one in refusing()])
def test_whoever_refuses_says_what_was_expected_and_what_came(file: str, name: str, source: str) -> None:
    assert "failed(" in source or file in SAYS_ENOUGH_IN_ITS_HINT


async def test_a_refusal_is_explained_and_its_answer_says_nothing(bench: Workbench, web: aiohttp.ClientSession) -> None:
    form = {"grant_type": "client_credentials", "scope": "read admin"}
    async with web.post(TOKEN, data=form, headers=basic(bench)) as response:
        said = await response.text() + str(response.headers)
        story = await told(bench, response)
    assert (story.rule, story.client_id, story.status) == (Rule.SCOPE_NOT_ALLOWED, "app", 400)
    assert next(check.facts for check in story.checks if check.name == "scope")["too_much"] == "admin"
    for inside in (story.rule, story.hint, story.cause, story.remedy, "too_much"):
        assert inside not in said


async def test_a_client_that_proved_itself_takes_no_slot_of_the_strangers(
    bench: Workbench, web: aiohttp.ClientSession
) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": "none"}
    async with web.post(TOKEN, data=form, headers=basic(bench)) as response:
        mine = await kept(bench, response)
    async with web.post(TOKEN, data=form, headers=basic(bench, secret="wrong")) as response:
        wrong = await kept(bench, response)
    async with web.get("/oauth/authorize?client_id=app") as response:
        page = await kept(bench, response)
    assert mine is not None
    assert wrong is not None
    assert page is not None
    assert mine.slot is None
    assert wrong.slot is not None
    assert page.slot is not None
    assert (wrong.client_id, page.client_id) == ("app", "app")


async def test_what_is_issued_is_told_from_its_audit_row_alone(bench: Workbench, web: aiohttp.ClientSession) -> None:
    async with web.post(TOKEN, data={"grant_type": "client_credentials"}, headers=basic(bench)) as response:
        assert response.status == 200
        assert await kept(bench, response) is None
        await bench.service.audit.flush()
        story = await told(bench, response)
    assert story.granted
    assert [check.name for check in story.checks] == ["client_authentication", "grant_type", "audience"]
    assert story.events[0].startswith("token.issued: ")


async def test_what_only_asks_is_traced_too(bench: Workbench, web: aiohttp.ClientSession) -> None:
    token = (await bench.issue()).access
    async with web.post("/oauth/introspect", data={"token": token}, headers=basic(bench)) as response:
        story = await told(bench, response)
    assert story.granted
    assert (story.route, story.status) == ("/oauth/introspect", 200)
    async with web.get("/.well-known/openid-configuration") as response:
        assert await kept(bench, response) is None


@pytest.mark.parametrize(
    ("username", "password", "rule", "facts"),
    [
        ("alice", "wrong horse battery", Rule.USER_PASSWORD_WRONG, {"differs": True}),
        ("nobody", PASSWORD, Rule.USER_UNKNOWN, {"known": False}),
    ],
)
async def test_of_a_password_only_that_it_differs(
    bench: Workbench, web: aiohttp.ClientSession, username: str, password: str, rule: Rule, facts: dict[str, object]
) -> None:
    form = {"grant_type": "password", "username": username, "password": password}
    async with web.post(TOKEN, data=form, headers=basic(bench)) as response:
        trace = await kept(bench, response)
        story = await told(bench, response)
        await bench.service.audit.flush()
    assert story.rule == rule
    refusing = next(check for check in story.checks if not check.passed)
    assert facts.items() <= refusing.facts.items()
    assert refusing.facts.keys() <= {"differs", "known", "subject"}
    assert trace is not None
    # Neither what came, nor the name, which now and then is a password.
    assert password not in str(trace)
    assert "nobody" not in str(trace)
    row = bench.record.tables.audit[-1]
    assert (row.event, json.loads(row.context)) == ("sign_in.refused", {"rule": rule})


LOOKED_AT = [
    *(Rule.USER_UNKNOWN, Rule.USER_PASSWORD_WRONG, Rule.USER_DISABLED),
    *(Rule.USER_ADDRESS_UNVERIFIED, Rule.USER_RESET_REQUIRED),
    *(Rule.SECOND_FACTOR_WRONG, Rule.SECOND_FACTOR_REPLAYED, Rule.RECOVERY_CODE_WRONG),
    *(Rule.PASSKEY_UNKNOWN, Rule.PASSKEY_FOREIGN, Rule.PASSKEY_SIGNATURE),
    *(Rule.PASSKEY_UNVERIFIED, Rule.PASSKEY_COUNTER),
]


@pytest.mark.parametrize("rule", LOOKED_AT)
@pytest.mark.parametrize(("route", "rows"), [("/login", 1), ("/account/second-factors", 0), ("/account/passkeys", 0)])
async def test_a_sign_in_that_was_refused_is_in_the_audit_log(
    bench: Workbench, route: str, rows: int, rule: Rule
) -> None:
    """But not what somebody who is signed in fails to set up."""
    made = tracer(bench)
    begin_trace(made.key)
    made.record(route, "POST", 401, RequestNotes(RequestOrigin(RequestId("one")), verdict=(rule, "the hint")))
    await bench.service.audit.flush()
    told = [json.loads(row.context) for row in bench.record.tables.audit if row.event == "sign_in.refused"]
    assert told == [{"rule": rule}] * rows


@pytest.mark.parametrize("form", [{}, {"client_id": "app"}], ids=["alone", "and the id in the form"])
async def test_a_secret_sent_as_the_id_is_kept_nowhere(
    bench: Workbench, web: aiohttp.ClientSession, form: dict[str, str]
) -> None:
    secret = bench.secrets["app"]
    form = {"grant_type": "client_credentials", **form}
    async with web.post(TOKEN, data=form, headers=basic(bench, secret, "app")) as response:
        trace = await kept(bench, response)
    bench.request_log.flush()
    assert trace is not None
    assert trace.rule in (Rule.CLIENT_UNKNOWN, Rule.CREDENTIALS_SEVERAL)
    assert "43 characters, mark " in trace.hint
    assert secret[:20] not in str(trace) + bench.lines.getvalue()


async def test_a_code_sent_within_an_address_is_kept_nowhere(bench: Workbench, web: aiohttp.ClientSession) -> None:
    await add_shop(bench)
    code = "an-unspent-code-of-random-characters"
    sent = f"?code={code}&state={code}"
    paths = (authorize(redirect_uri=REDIRECT + sent), logout(post_logout_redirect_uri=BYE + sent))
    for path, rule in zip(paths, (Rule.REDIRECT_URI, Rule.LOGOUT_URI), strict=True):
        async with web.get(path) as response:
            trace = await kept(bench, response)
        assert trace is not None
        assert (trace.rule, "?code=" in trace.hint, "&state=" in trace.checks) == (rule, True, True)
        assert code not in str(trace)
    bench.request_log.flush()
    assert code not in bench.lines.getvalue()


async def test_a_refusal_whose_trace_was_lost_is_told_from_the_log(
    bench: Workbench, web: aiohttp.ClientSession
) -> None:
    first = (await bench.issue()).refresh
    await bench.refresh(first)
    async with web.post(
        TOKEN, data={"grant_type": "refresh_token", "refresh_token": first}, headers=basic(bench)
    ) as one:
        request_id = one.headers["X-Request-Id"]
    bench.record.tables.request_traces.clear()
    story = await tell(request_id, bench.stores.traces, bench.stores.trail)
    assert story is not None
    assert (story.rule, story.client_id, story.granted) == (Rule.REFRESH_REPLAYED, "app", False)
    assert story.cause == EXPLANATIONS[Rule.REFRESH_REPLAYED].cause


async def test_who_reads_often_leaves_as_many_traces_as_the_budget_has_and_all_of_the_refused(
    bench: Workbench, web: aiohttp.ClientSession
) -> None:
    token = (await bench.issue()).access
    for one in [token] * 110 + ["strange"] * 5:
        async with web.post("/oauth/introspect", data={"token": one}, headers=basic(bench)) as answer:
            assert (await answer.json())["active"] is (one == token)
    await tracer(bench).log.flush()
    found = await bench.stores.traces.find(TraceFilter(client_id="app"), 200)
    assert (len([one for one in found if not one.rule]), len([one for one in found if one.rule])) == (100, 5)


async def test_requests_are_found_by_client_rule_and_time(bench: Workbench, web: aiohttp.ClientSession) -> None:
    for client in ("app", "other"):
        async with web.post(TOKEN, data={"grant_type": "none"}, headers=basic(bench, client)):
            bench.clock.advance(60)
    await tracer(bench).log.flush()
    find = bench.stores.traces.find
    assert len(await find(TraceFilter(client_id="app"), 10)) == 1
    assert len(await find(TraceFilter(rule=Rule.GRANT_TYPE_UNKNOWN), 10)) == 2
    assert [one.client_id for one in await find(TraceFilter(), 1)] == ["other"]
    assert [one.client_id for one in await find(TraceFilter(until=bench.clock.now()), 10)] == ["other", "app"]
    assert await find(TraceFilter(since=bench.clock.now()), 10) == []


async def test_nobody_knows_a_request_that_never_was(bench: Workbench) -> None:
    assert await tell("never", bench.stores.traces, bench.stores.trail) is None


async def test_a_sign_in_left_open_for_too_long(bench: Workbench, tab: Tab) -> None:
    login = (await tab.get(authorize())).location
    assert login.startswith("/login?ticket=")
    assert (await tab.get(login)).status == 200
    bench.clock.advance(LIFETIME_SECONDS + 5)
    shown = await tab.get(login)
    assert shown.status == 400
    await tracer(bench).log.flush()
    story = await tell(shown.headers["X-Request-Id"], bench.stores.traces, bench.stores.trail)
    assert story is not None
    assert story.rule == Rule.TICKET_EXPIRED
    assert story.evidence[0].startswith("Late by 5 s: it lapsed at ")
    assert story.evidence[0] not in shown.body


@pytest.mark.parametrize("path", [TOKEN, "/oauth/userinfo"])
@pytest.mark.parametrize("sent", ["acr_c2VjcmV0.verifier", "c2VjcmV01", "sEcReTsEcReTsEcReT x"])
async def test_a_secret_without_its_scheme_is_not_told(
    bench: Workbench, web: aiohttp.ClientSession, path: str, sent: str
) -> None:
    form = {"grant_type": "client_credentials"}
    async with web.post(path, data=form, headers={"Authorization": sent}) as response:
        trace = await kept(bench, response)
    assert trace is not None
    assert trace.rule in {Rule.CREDENTIALS_MALFORMED, Rule.BEARER_MISSING}
    assert sent[:8] not in str(trace)
