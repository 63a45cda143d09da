"""The demo of a development server: a client and a user, and the commands that use them."""

import asyncio
import json
import os
import secrets
import sys
from pathlib import Path

from authcenter.clients.entitlements import ClientMetadata
from authcenter.core.errors import Conflict, NotFound
from authcenter.core.secret import Secret
from authcenter.settings.boot import BootSettings
from authcenter.wiring.core import Core

_CLIENT, _USER, _AUDIENCE = "demo", "alice", "https://api.example"
_ACTOR = "demo"


async def tell_demo(core: Core, settings: BootSettings, port: int) -> None:
    """``demo_lines``, on stderr."""
    for line in await demo_lines(core, settings, port):
        print(line, file=sys.stderr, flush=True)


async def demo_lines(core: Core, settings: BootSettings, port: int) -> list[str]:
    """Make client and user, where they are not there yet, and say how to use them.

    What has to be known again at the next start lies in the state directory, readable by its owner only.
    """
    file = settings.state_dir / "demo.json"
    known = await asyncio.to_thread(_read, file)
    secret = known.get("client_secret") or ""
    password = known.get("password") or secrets.token_urlsafe(12)
    try:
        await core.clients.get(_CLIENT)
        if not secret:
            secret = (await core.clients.rotate_secret(_CLIENT, _ACTOR, end_old=True))[1].reveal()
    except NotFound:
        secret = await _create_client(core)
    try:
        await core.accounts.create(_USER, "alice@example.com", Secret(password), ["reader"], actor=_ACTOR)
    except Conflict:
        if "password" not in known:
            await core.accounts.set_password(_USER, Secret(password), actor=_ACTOR)
    await asyncio.to_thread(_write, file, {"client_secret": secret, "password": password})
    url = settings.issuer if settings.issuer != "http://127.0.0.1:8080" else f"http://127.0.0.1:{port}"
    return _lines(url, secret, password)


async def _create_client(core: Core) -> str:
    metadata = ClientMetadata(
        _CLIENT,
        name="Demo",
        grants=frozenset({"client_credentials", "password", "refresh_token"}),
        scopes=frozenset({"read", "write"}),
        audiences=(_AUDIENCE,),
        serves=frozenset({_AUDIENCE}),
        first_party=True,
    )
    _, secret = await core.clients.create(metadata, _ACTOR)
    return secret.reveal() if secret else ""


def _lines(url: str, secret: str, password: str) -> list[str]:
    client = f"curl -s -u {_CLIENT}:{secret} {url}/oauth"
    return [
        "",
        f"authcenter is running at {url}",
        "",
        "  A token for a service:",
        f"    {client}/token -d grant_type=client_credentials",
        "",
        f"  A token for {_USER}, with a refresh token:",
        f"    {client}/token -d grant_type=password -d username={_USER} -d password={password}",
        "",
        "  Is it good? What is in it?",
        f"    {client}/introspect -d token=TOKEN",
        "",
        "  The next one, and no more:",
        f"    {client}/token -d grant_type=refresh_token -d refresh_token=TOKEN",
        f"    {client}/revoke -d token=TOKEN",
        "",
    ]


def _read(file: Path) -> dict[str, str]:
    try:
        known = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _write(file: Path, value: dict[str, str]) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        json.dump(value, stream)
