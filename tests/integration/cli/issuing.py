"""Tokens on a console's record, as the token endpoint issues them."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from authcenter.accounts.claims import claims_of
from authcenter.audit.grouped import GroupedAudit
from authcenter.core.approval import Approval, PresentedRefreshToken
from authcenter.core.ids import Subject
from authcenter.core.scope import Scope
from authcenter.tokens.enhancers import GrantEnhancer, JwtTokenEnhancer, UserEnhancer
from authcenter.tokens.id_tokens import IdTokens
from authcenter.tokens.issuance import IssuanceLog
from authcenter.tokens.service import TokenService
from authcenter.wiring.core import Core
from tests.integration.cli.console import Console

ISSUER = "http://127.0.0.1:8080"
NO_AGE = timedelta(0)


@dataclass(frozen=True, slots=True)
class Issued:
    """An access token and the refresh token that goes with it."""

    access: str
    refresh: str
    claims: dict[str, Any]


def issue(console: Console, client_id: str, *, username: str = "", age: timedelta = NO_AGE) -> Issued:
    """Issue to a client, or to a user through it, ``age`` ago."""

    async def act(core: Core) -> bytes:
        await core.keys.reload()
        client = await core.clients.get(client_id)
        user = await core.accounts.get(username) if username else None
        approval = Approval(
            client=client,
            subject=user.subject if user else Subject(client_id),
            scope=Scope.of({"read"}),
            audience=("https://api.example",),
            at=datetime.now(UTC) - age,
            user=user,
            sign_in={"sid": "session-1", "auth_time": 1_700_000_000} if user else {},
            refreshable=True,
        )
        return (await _service(core).create_access_token(approval)).body

    return _issued(console, console.act(act))


def refresh(console: Console, issued: Issued) -> Issued:
    """Trade the refresh token for the next."""

    async def act(core: Core) -> bytes:
        await core.keys.reload()
        held = await core.families.find(issued.refresh)
        assert held is not None
        family = held.family
        spends = PresentedRefreshToken(issued.refresh, held)
        approval = Approval(
            client=await core.clients.get(family.client_id),
            subject=family.subject,
            scope=family.scope,
            audience=family.audience,
            at=datetime.now(UTC),
            spends=spends,
            family=family.family_id,
        )
        return (await _service(core).refresh_access_token(approval, spends)).body

    return _issued(console, console.act(act))


def _issued(console: Console, body: bytes) -> Issued:
    answer = json.loads(body)
    access = answer["access_token"]

    async def claims(core: Core) -> dict[str, Any]:
        await core.keys.reload()
        return dict((await core.verifier.read_issued(access)).claims)

    return Issued(access, answer["refresh_token"], console.act(claims))


def _service(core: Core) -> TokenService:
    enhancers = [
        GrantEnhancer(ISSUER, lambda _: timedelta(minutes=15)),
        UserEnhancer(),
        JwtTokenEnhancer(core.keys, lambda: "ES256"),
    ]
    audit = GroupedAudit(core.stores.trail, Path(), core.clock, lambda *_: None, lambda _: None, structlog.get_logger())
    return TokenService(
        enhancers=enhancers,
        id_tokens=IdTokens(ISSUER, core.keys, lambda: 300, claims_of),
        codes=core.stores.codes,
        device_codes=core.stores.device_codes,
        families=core.families,
        revocations=core.revocations,
        verifier=core.verifier,
        lifetimes=core.lifetimes,
        clock=core.clock,
        issuance=IssuanceLog(audit),
        on_replay=lambda: None,
    )
