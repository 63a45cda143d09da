"""What goes wrong on the way to an application is told in the language that it asked for, as the page is."""

from collections.abc import Awaitable, Callable

import pytest

from authcenter.accounts.sessions import ACR_TWO_FACTORS
from tests.authenticator import enrol
from tests.passkey_device import Lie, PasskeyDevice
from tests.unit.http.browsing import Shown, Tab
from tests.unit.http.passkey_walks import ALONE, PASSKEYS, SECOND, alone, enrolled
from tests.unit.http.test_passkey_sign_in import authorize, shop
from tests.unit.http.test_second_factor import tab
from tests.workbench import PASSWORD, Workbench

__all__ = ["tab"]

Walk = Callable[[Workbench, Tab], Awaitable[Shown]]


async def _asked(tab: Tab, **parameters: str) -> Shown:
    """The login page, to which an application has sent the person."""
    return await tab.follow(await tab.get(authorize(ui_locales="de", **parameters)))


async def _by_password(tab: Tab, **parameters: str) -> Shown:
    login = await _asked(tab, **parameters)
    return await tab.follow(await tab.post("/login", {**login.fields, "username": "alice", "password": PASSWORD}))


async def _wrong_code(bench: Workbench, tab: Tab) -> Shown:
    wrong = (await enrol(bench)).wrong_code()
    return await tab.post(SECOND, {**(await _by_password(tab)).fields, "code": wrong, "act": "code"})


async def _too_many_codes(bench: Workbench, tab: Tab) -> Shown:
    bench.offer("rate_limits: {login_failures_per_ip: 1/hour}")
    shown = await _wrong_code(bench, tab)
    return await tab.post(SECOND, {**shown.fields, "act": "code"})


async def _no_passkey_for_the_second_step(bench: Workbench, tab: Tab) -> Shown:
    await enrolled(tab.address, PasskeyDevice())
    return await tab.post(SECOND, {**(await _by_password(tab)).fields, "act": "passkey", "credential": ""})


async def _forged_passkey(bench: Workbench, tab: Tab) -> Shown:
    device = PasskeyDevice()
    await enrolled(tab.address, device)
    return await _forge(tab, device)


async def _too_many_passkeys(bench: Workbench, tab: Tab) -> Shown:
    bench.offer("rate_limits: {login_failures_per_ip: 1/hour}")
    device = PasskeyDevice()
    await enrolled(tab.address, device)
    await _forge(tab, device)
    return await _forge(tab, device)


async def _forge(tab: Tab, device: PasskeyDevice) -> Shown:
    return await alone(tab, device, Lie(signed_by=9), f"{ALONE}?ticket={(await _asked(tab)).fields['ticket']}")


async def _no_passkey_to_add(bench: Workbench, tab: Tab) -> Shown:
    offered = await _by_password(tab, acr_values=ACR_TWO_FACTORS)
    shown = await tab.get(f"{PASSKEYS}?ticket={offered.fields['ticket']}")
    return await tab.post(PASSKEYS, {**shown.fields, "act": "add", "name": "x", "credential": "", "ceremony": ""})


WALKS = [
    pytest.param(_wrong_code, 401, "Dieser Code stimmt nicht.", id="wrong code"),
    pytest.param(_too_many_codes, 429, "Zu viele Versuche.", id="too many codes"),
    pytest.param(_no_passkey_for_the_second_step, 401, "Ihr Browser hat keinen Passkey gesendet.", id="second step"),
    pytest.param(_forged_passkey, 401, "Dieser Passkey gilt hier nicht.", id="passkey alone"),
    pytest.param(_too_many_passkeys, 429, "Zu viele Versuche.", id="too many passkeys"),
    pytest.param(_no_passkey_to_add, 401, "Das hat zu lange gedauert.", id="passkey to add"),
]


@pytest.mark.parametrize(("walk", "status", "told"), WALKS)
async def test_a_problem_is_told_in_the_language_of_its_page(
    bench: Workbench, tab: Tab, walk: Walk, status: int, told: str
) -> None:
    await shop(bench)
    shown = await walk(bench, tab)
    assert (shown.status, '<html lang="de"' in shown.body) == (status, True)
    assert told in shown.body
