"""What signing out ends, whose forms may ask for it, and which clients are told in the browser."""

import json
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest

from authcenter.core.event import EventKind
from authcenter.jose.algorithms import Alg
from authcenter.keys.vault import KeyVault
from tests.unit.authorization.test_authorize import BROWSER, SESSION, shop
from tests.unit.authorization.test_logout import FRAME, HIDDEN, OUT, Leaver, leaver
from tests.workbench import ISSUER, PASSPHRASE, decoded, stored_key

__all__ = ["leaver", "shop"]


async def test_nobody_signed_in_goes_on_where_the_client_proves_itself(leaver: Leaver) -> None:
    hint = (await leaver.tokens()).members["id_token"]
    stranger = Leaver(leaver.bench, leaver.address)
    assert (await stranger.leave(id_token_hint=hint, post_logout_redirect_uri=OUT, state="s")).location.startswith(OUT)
    page = await stranger.leave(client_id="rp1", post_logout_redirect_uri=OUT)
    assert (page.status, page.location) == (200, "")
    assert "Refresh" not in page.headers
    assert unescape(page.body).count(OUT) == 1
    assert (await stranger.leave()).status == 200


async def test_signing_out_ends_all_that_hangs_on_the_session(leaver: Leaver) -> None:
    bench = leaver.bench
    tokens = await leaver.tokens("rp2")
    assert await bench.active(tokens.access, "rp2")
    hint = (await leaver.tokens()).members["id_token"]
    await leaver.leave(id_token_hint=hint)
    await bench.follow()
    assert not await bench.active(tokens.access, "rp2")
    assert bench.ended(tokens.refresh)
    assert bench.kinds()[-1] == EventKind.SESSION_ENDED


async def test_what_hangs_on_a_session_ends_also_where_it_had_lapsed(leaver: Leaver) -> None:
    tokens = await leaver.tokens("rp2")
    leaver.bench.offer("sessions: {idle_ttl: 60}")
    leaver.bench.clock.advance(61)
    assert not await leaver.signed_in()
    assert (await leaver.leave(client_id="rp2", post_logout_redirect_uri=OUT)).status == 200
    assert leaver.bench.ended(tokens.refresh)


@pytest.mark.parametrize(
    ("changes", "headers"),
    [
        pytest.param({"csrf": ""}, {}, id="no token"),
        pytest.param({"csrf": "x"}, {}, id="wrong token"),
        pytest.param({}, {"Origin": "https://evil.example"}, id="another origin"),
        pytest.param({}, {"Sec-Fetch-Site": "cross-site"}, id="another site"),
    ],
)
async def test_our_own_form_is_taken_from_our_own_page_alone(
    leaver: Leaver, changes: dict[str, str], headers: dict[str, str]
) -> None:
    page = await leaver.leave()
    hidden = {unescape(name): unescape(value) for name, value in HIDDEN.findall(page.body)}
    cookie = "; ".join(f"{name}={value}" for name, value in leaver.jar.items())
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            leaver.address + "/oauth/logout",
            data={**hidden, "answer": "logout", **changes},
            headers={"Cookie": cookie, **headers},
            allow_redirects=False,
        ) as answer,
    ):
        assert answer.status == 403
    assert await leaver.signed_in()


async def test_a_cross_site_form_signs_nobody_out_unasked(leaver: Leaver) -> None:
    posted = await leaver._go("POST", "/oauth/logout", data={"answer": "logout"}, cookies={})
    assert posted.status == 303
    page = await leaver._go("GET", posted.location)
    assert "alice" in page.body
    assert await leaver.signed_in()


@pytest.mark.parametrize("where", ["/login?ticket=", "/oauth/authorize?ticket=", "/consent?ticket="])
async def test_the_ticket_of_a_logout_opens_nothing_else(leaver: Leaver, where: str) -> None:
    page = await leaver.leave()
    ticket = dict(HIDDEN.findall(page.body))["ticket"]
    assert (await leaver._go("GET", where + ticket)).status == 400


async def test_the_ticket_of_another_browser_is_refused(leaver: Leaver) -> None:
    page = await leaver.leave()
    ticket = dict(HIDDEN.findall(page.body))["ticket"]
    other = Leaver(leaver.bench, leaver.address)
    await other.sign_in()
    own = await other.leave()
    assert (await other.answer(own, ticket=ticket)).status == 400
    assert await other.signed_in()


async def test_the_button_of_the_account_page_signs_out(leaver: Leaver) -> None:
    await leaver.leave()
    page = await leaver._go("GET", "/account")
    assert 'action="/oauth/logout"' in page.body
    csrf = dict(HIDDEN.findall(page.body))["csrf"]
    outcome = await leaver._go("POST", "/oauth/logout", data={"csrf": csrf})
    assert "You are signed out" in outcome.body
    assert not await leaver.signed_in()


async def test_clients_are_told_in_the_browser_before_it_goes_on(leaver: Leaver) -> None:
    for client in ("front0", "front1", "front2", "quiet"):
        await leaver.tokens(client)
    hint = (await leaver.tokens()).members["id_token"]
    sid = json.loads(decoded(hint.split(".")[1]))["sid"]
    outcome = await leaver.leave(id_token_hint=hint, post_logout_redirect_uri=OUT, state="s")
    assert (outcome.status, outcome.location) == (200, "")
    frames = [unescape(uri) for uri in FRAME.findall(outcome.body)]
    told = {"iss": ISSUER, "sid": sid}
    assert [uri.partition("?")[0] for uri in frames] == [
        "https://front.example/f",
        "https://front.example/g",
        "https://other.example:81",
    ]
    assert [dict(parse_qsl(urlsplit(uri).query)) for uri in frames] == [{"x": "1", **told}, told, told]
    policy = outcome.headers["Content-Security-Policy"]
    assert policy.endswith("frame-src https://front.example https://other.example:81")
    assert outcome.headers["Refresh"].partition("; ")[2] == f"url={OUT}&state=s"
    assert f'<a href="{OUT}&amp;state=s">' in outcome.body
    assert BROWSER in leaver.jar
    assert not await leaver.signed_in()


async def test_a_client_that_was_not_signed_in_to_is_not_told(leaver: Leaver) -> None:
    hint = (await leaver.tokens()).members["id_token"]
    assert (await leaver.leave(id_token_hint=hint, post_logout_redirect_uri=OUT)).location == OUT


async def test_a_hint_by_a_key_that_no_longer_signs_still_counts(leaver: Leaver) -> None:
    hint = (await leaver.tokens()).members["id_token"]
    bench = leaver.bench
    newer = stored_key(Alg.RS256, 1)
    assert KeyVault([PASSPHRASE]).open(newer.private_pem) is not None
    bench.record.tables.keys[newer.kid] = newer
    await bench.core.keys.reload()
    assert (await leaver.leave(id_token_hint=hint, post_logout_redirect_uri=OUT)).location == OUT


async def test_while_the_record_is_gone_nobody_is_signed_out_and_the_page_says_so(leaver: Leaver) -> None:
    hint = (await leaver.tokens()).members["id_token"]
    leaver.bench.board.down = True
    outcome = await leaver.leave(id_token_hint=hint, post_logout_redirect_uri=OUT)
    assert outcome.status == 503
    assert leaver.jar[SESSION]
    leaver.bench.board.down = False
    assert await leaver.signed_in()
