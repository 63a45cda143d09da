"""Every field of the policy changes what a running process does, without a restart."""

import hashlib
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from pydantic import BaseModel

from authcenter.accounts.sessions import Sessions
from authcenter.core.digest import Digest
from authcenter.core.errors import OAuthError, SessionsFull, Unavailable
from authcenter.http.pages.account import AccountPage
from authcenter.settings.policy import Policy
from tests.unit.http.requests import request
from tests.workbench import API, ORIGIN, Workbench, decoded

SHOWN_ELSEWHERE = {
    "tokens.id_token_ttl": "tests/unit/authorization/test_code_grant.py",
    "tokens.authorization_code_ttl": "tests/unit/authorization/test_authorize.py",
    "keys.publish_before_use": "tests/integration/policy/test_push.py: it is the command line that rotates",
    "keys.rotate_every": "tests/unit/keys and tests/integration/rotation: it takes days, on a set clock",
    "revocation.mode": "tests/integration/spread/test_strict.py: it takes a Redis",
    "cache.lock_ttl": "tests/integration/shared: it takes a second process",
    "rate_limits.token_per_client": "tests/unit/http/test_limits.py",
    "rate_limits.client_auth_failures_per_ip": "tests/unit/http/test_limits.py",
    "rate_limits.login_failures_per_ip": "tests/unit/http/test_limits.py",
    "rate_limits.login_failures_per_account": "tests/unit/http/test_limits.py",
    "rate_limits.signup_per_ip": "tests/unit/http/test_sign_up.py",
    "rate_limits.mail_per_address": "tests/unit/limits/test_mails.py and tests/unit/http/test_sign_up.py",
    "accounts.signup": "tests/unit/http/test_sign_up.py",
    "accounts.verify_ttl": "tests/unit/http/test_sign_up.py",
    "accounts.reset_ttl": "tests/unit/http/test_password_api.py",
    "registration.mode": "tests/unit/http/test_register.py",
    "registration.profile": "tests/unit/http/test_register.py",
    "registration.grants": "tests/unit/http/test_register.py",
    "registration.scopes": "tests/unit/http/test_register.py",
    "registration.unused_ttl": "tests/unit/workers/test_unused_clients.py",
    "fetch.allow_private": "tests/unit/remote/test_fetch.py and tests/unit/http/test_register.py",
    "audit.checkpoint_every": "tests/unit/workers/test_checkpoints.py",
    "audit.explain_ttl": "tests/unit/audit/test_traces.py",
    "logging.level": "tests/integration/service/test_policy_changes.py: the log is the process's",
}
"""Fields that no process over memory stores can show, and where they are shown."""

Probe = Callable[[Workbench], Awaitable[Any]]


async def lifetime(bench: Workbench) -> int:
    return int((await bench.ask("client_credentials")).members["expires_in"])


async def algorithm(bench: Workbench) -> str:
    return str(json.loads(decoded((await bench.issue()).access.split(".")[0]))["alg"])


async def names_its_status(bench: Workbench) -> bool:
    return "status" in (await bench.ask("client_credentials")).claims


async def refreshes_at(bench: Workbench, *seconds: float) -> bool:
    """Whether refreshing goes well after each of these pauses."""
    token = (await bench.issue()).refresh
    try:
        for pause in seconds:
            token = (await bench.refresh(token, after=timedelta(seconds=pause))).refresh
    except OAuthError:
        return False
    return True


async def retry_is_answered(bench: Workbench) -> bool:
    token = (await bench.issue()).refresh
    first = await bench.refresh(token)
    try:
        return (await bench.refresh(token)).body == first.body
    except OAuthError:
        return False


async def active_after_expiry(bench: Workbench) -> bool:
    answer = await bench.issue()
    bench.clock.advance(answer.members["expires_in"] + 20)
    await bench.follow()
    return await bench.active(answer.access)


async def active_in_an_outage(bench: Workbench) -> bool:
    token = (await bench.issue()).access
    await bench.follow()
    bench.clock.advance(30)
    try:
        return await bench.active(token)
    except Unavailable:
        return False


async def width_of_the_replica(bench: Workbench) -> int:
    token = (await bench.issue()).access
    await bench.revoke(token)
    await bench.follow()
    assert not await bench.active(token)
    return bench.core.revocations.replica.width


async def loads(bench: Workbench, client: str, pause: float) -> int:
    """How often the record is asked for a client that is asked for twice."""
    bench.clock.advance(1_000)
    bench.board.asked.clear()
    for _ in range(2):
        await is_answered(bench, client)
        bench.clock.advance(pause)
    return bench.board.asked.count("clients.find")


async def lapse_together(bench: Workbench) -> bool:
    """Whether entries of one instant are all still there at four fifths of their time."""
    bench.clock.advance(1_000)
    names = [f"unknown-{number}" for number in range(100)]
    for name in names:
        await is_answered(bench, name)
    bench.clock.advance(4)
    bench.board.asked.clear()
    for name in names:
        await is_answered(bench, name)
    return "clients.find" not in bench.board.asked


async def served_without_the_record(bench: Workbench) -> bool:
    assert await is_answered(bench, "app")
    bench.clock.advance(100)
    bench.board.down = True
    try:
        return await is_answered(bench, "app")
    finally:
        bench.board.down = False


async def is_answered(bench: Workbench, client: str) -> bool:
    try:
        await bench.ask("client_credentials", client=client, secret=None if client == "app" else "x")
    except (OAuthError, Unavailable):
        return False
    return True


def sessions_of(bench: Workbench) -> Sessions:
    frame: Any = bench.service.public.__self__  # type: ignore[attr-defined]
    cells = [cell.cell_contents for cell in frame.router.find("/account").handlers["GET"].__closure__]
    pages = (getattr(cell, "__self__", None) for cell in cells)
    return next(found.own.sessions for found in pages if isinstance(found, AccountPage))


async def signed_in_twice(bench: Workbench) -> int | str:
    """How many sessions are alive after two sign-ins."""
    try:
        for cookie in (b"1" * 32, b"2" * 32):
            await sessions_of(bench).sign_in(bench.alice, Digest(cookie), ORIGIN, amr=["pwd"])
    except SessionsFull:
        return "rejected"
    return len(await sessions_of(bench).alive_of(bench.alice.subject))


async def signed_in_after(bench: Workbench, *pauses: float) -> bool:
    """Whether a browser that comes back after each of these pauses is still signed in."""
    sessions = sessions_of(bench)
    cookie = Digest(hashlib.sha256(str(bench.clock.now()).encode()).digest())
    await sessions.sign_in(bench.alice, cookie, ORIGIN, amr=["pwd"])
    signed_in = []
    for pause in pauses:
        bench.clock.advance(pause)
        signed_in.append(await sessions.current(cookie) is not None)
    return all(signed_in)


async def page(bench: Workbench, path: str = "/login") -> str:
    answer: Any = await bench.service.public(request(path=path, method="GET"))
    return bytes(answer.policy + answer.body).decode()


async def shows(bench: Workbench, *texts: str) -> bool:
    shown = await page(bench)
    return all(text in shown for text in texts)


async def brand_style(bench: Workbench) -> bool:
    return "#0a7d55" in await page(bench, "/static/brand.css")


def unlimited(policy: str) -> str:
    """With room for a hundred unknown clients from one address: a refused one never reaches the cache."""
    return f"{policy}\nrate_limits: {{client_auth_failures_per_ip: 1000/second}}"


# The field, the policy before and after, what is looked at, and what it is before and after.
CHANGES: list[tuple[str, str, str, Probe, Any, Any]] = [
    ("tokens.access_ttl", "", "tokens: {access_ttl: 60}", lifetime, 900, 60),
    ("tokens.refresh_ttl", "", "tokens: {refresh_ttl: 50}", lambda b: refreshes_at(b, 100), True, False),
    (
        "tokens.refresh_max_lifetime",
        "tokens: {refresh_ttl: 50}",
        "tokens: {refresh_ttl: 50, refresh_max_lifetime: 60}",
        lambda b: refreshes_at(b, 40, 40),
        True,
        False,
    ),
    ("tokens.refresh_reuse_grace", "", "tokens: {refresh_reuse_grace: 30}", retry_is_answered, False, True),
    ("tokens.signing_alg", "", "tokens: {signing_alg: EdDSA}", algorithm, "ES256", "EdDSA"),
    ("tokens.leeway", "", "tokens: {leeway: 0}", active_after_expiry, True, False),
    ("revocation.on_outage", "", "revocation: {on_outage: closed}", active_in_an_outage, True, False),
    (
        "revocation.max_staleness",
        "revocation: {on_outage: closed}",
        "revocation: {on_outage: closed, max_staleness: 60}",
        active_in_an_outage,
        False,
        True,
    ),
    ("tokens.status_list", "", "tokens: {status_list: true}", names_its_status, False, True),
    ("revocation.short_hash_bytes", "", "revocation: {short_hash_bytes: 4}", width_of_the_replica, 8, 4),
    ("cache.ttl", "", "cache: {ttl: 5}", lambda b: loads(b, "app", 10), 1, 2),
    ("cache.negative_ttl", "", "cache: {negative_ttl: 0}", lambda b: loads(b, "nobody", 1), 1, 2),
    ("cache.jitter", unlimited("cache: {jitter: 0}"), unlimited("cache: {jitter: 0.5}"), lapse_together, True, False),
    ("sessions.idle_ttl", "", "sessions: {idle_ttl: 60}", lambda b: signed_in_after(b, 100), True, False),
    (
        "sessions.max_ttl",
        "sessions: {idle_ttl: 100}",
        "sessions: {idle_ttl: 100, max_ttl: 100}",
        lambda b: signed_in_after(b, 70, 70),
        True,
        False,
    ),
    ("sessions.max_per_user", "", "sessions: {max_per_user: 1}", signed_in_twice, 2, 1),
    (
        "sessions.when_full",
        "sessions: {max_per_user: 1}",
        "sessions: {max_per_user: 1, when_full: reject}",
        signed_in_twice,
        1,
        "rejected",
    ),
    ("brand.name", "", "brand: {name: We & You}", lambda b: shows(b, "We &amp; You"), False, True),
    (
        "brand.logo",
        "",
        "brand: {logo: 'https://cdn.example/a.svg'}",
        lambda b: shows(b, "img-src 'self' https://cdn.example ", '<img src="https://cdn.example/a.svg" alt="">'),
        False,
        True,
    ),
    ("brand.color", "", "brand: {color: '#0a7d55'}", brand_style, False, True),
    ("cache.stale_if_error", "", "cache: {stale_if_error: 10}", served_without_the_record, True, False),
]


@pytest.mark.parametrize(
    ("before", "after", "probe", "was", "becomes"),
    [pytest.param(*row[1:], id=row[0]) for row in CHANGES],
)
async def test_a_field_takes_effect(
    bench: Workbench, before: str, after: str, probe: Probe, was: Any, becomes: Any
) -> None:
    if before:
        bench.offer(before)
    assert await probe(bench) == was
    bench.offer(after)
    assert await probe(bench) == becomes


async def test_how_long_the_key_set_may_be_kept_takes_effect(bench: Workbench, web: aiohttp.ClientSession) -> None:
    async def kept() -> str:
        async with web.get("/.well-known/jwks.json") as answer:
            return answer.headers["Cache-Control"]

    assert await kept() == "public, max-age=600"
    bench.offer("jwks: {max_age: 60}")
    assert await kept() == "public, max-age=60"


async def test_what_a_gateway_demands_takes_effect(bench: Workbench, web: aiohttp.ClientSession) -> None:
    token = (await bench.ask("client_credentials", resource=API, scope="read")).access

    async def passes() -> int:
        async with web.get("/oauth/validate/shop", headers={"Authorization": f"Bearer {token}"}) as answer:
            return answer.status

    statuses = [await passes()]
    for demanded in (f"audience: '{API}'", f"audience: '{API}', scopes: [write]", "audience: 'urn:x'"):
        bench.offer(f"gateways: {{shop: {{{demanded}}}}}")
        statuses.append(await passes())
    bench.offer("gateways: {}")
    assert [*statuses, await passes()] == [404, 200, 403, 401, 404]


def test_every_field_is_shown() -> None:
    shown = {row[0] for row in CHANGES} | {"jwks.max_age", "gateways", "identity_providers"} | SHOWN_ELSEWHERE.keys()
    fields = {f"{name}.{field}" if field else name for name in Policy.model_fields for field in _fields(name)}
    assert fields == shown, "a row for each field, or a line in SHOWN_ELSEWHERE"


def _fields(section: str) -> list[str]:
    value = getattr(Policy(), section)
    return list(type(value).model_fields) if isinstance(value, BaseModel) else [""]
