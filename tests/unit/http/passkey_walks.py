"""What a person with a passkey does on the pages, without a screen."""

import html
import json
import re
from typing import Any

from tests.passkey_device import TRUTH, Lie, PasskeyDevice
from tests.unit.http.browsing import Shown, Tab
from tests.workbench import PASSWORD

PASSKEYS, ALONE, SECOND = "/account/passkeys", "/login/passkey", "/login/second-factor"


def options(shown: Shown) -> dict[str, Any]:
    """What the page asks the browser."""
    found = re.search(r'data-options="([^"]*)"', shown.body)
    assert found, shown.body
    asked: dict[str, Any] = json.loads(html.unescape(found[1]))
    return asked


async def by_password(tab: Tab, path: str = "/login") -> Shown:
    shown = await tab.follow(await tab.get(path))
    return await tab.post("/login", {**shown.fields, "username": "alice", "password": PASSWORD})


async def make(tab: Tab, device: PasskeyDevice, lie: Lie = TRUTH, **fields: str) -> Shown:
    """On the page of passkeys: add one."""
    shown = await tab.get(PASSKEYS)
    assert shown.status == 200, shown.location
    sent = {"act": "add", "name": "My phone", "credential": device.create(options(shown), lie)}
    return await tab.post(PASSKEYS, {**shown.fields, **sent, **fields})


async def enrolled(address: str, device: PasskeyDevice) -> Tab:
    """A tab of alice, who has added ``device`` in it."""
    tab = Tab(address)
    await by_password(tab)
    made = await make(tab, device)
    assert made.status in {200, 303}
    return tab


async def alone(tab: Tab, device: PasskeyDevice, lie: Lie = TRUTH, path: str = ALONE) -> Shown:
    """Sign in by nothing else."""
    shown = await tab.follow(await tab.get(path))
    return await tab.post(ALONE, {**shown.fields, "act": "passkey", "credential": device.get(options(shown), lie)})


async def second(tab: Tab, device: PasskeyDevice, lie: Lie = TRUTH) -> Shown:
    """Sign in by the password, and the passkey after that."""
    shown = await tab.follow(await by_password(tab))
    return await tab.post(SECOND, {**shown.fields, "act": "passkey", "credential": device.get(options(shown), lie)})


async def remove(tab: Tab, **fields: str) -> Shown:
    """The one that the page lists last."""
    shown = await tab.get(PASSKEYS)
    return await tab.post(PASSKEYS, {**shown.fields, "act": "remove", **fields})
