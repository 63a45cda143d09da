"""Callers of the admin API."""

import json
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from authcenter.core.scope import ADMIN
from authcenter.core.secret import Secret
from tests.unit.http.described import check_described
from tests.unit.http.requests import basic
from tests.workbench import ISSUER, PASSWORD, Workbench

ADMIN_AUDIENCE = f"{ISSUER}/admin"
GRANTS = frozenset({"client_credentials", "password", "refresh_token"})
PROBLEM = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    body: Any
    headers: Any

    @property
    def items(self) -> list[dict[str, Any]]:
        assert self.status == 200, self.body
        found: list[dict[str, Any]] = self.body["items"]
        return found


@dataclass
class Desk:
    """The client ``backoffice`` and its person ``olga``, who is an operator.

    Attributes:
        token: What requests are made by.
    """

    web: aiohttp.ClientSession
    bench: Workbench
    token: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    async def open(cls, web: aiohttp.ClientSession, bench: Workbench) -> "Desk":
        made = cls(web, bench)
        await bench.client("backoffice", grants=GRANTS, scopes=frozenset({ADMIN, "read"}), audiences=(ADMIN_AUDIENCE,))
        await bench.core.accounts.create("olga", "olga@example.com", Secret(PASSWORD), ["operator"], actor="tests")
        made.token = await made.own_token()
        bench.events.clear()
        return made

    async def own_token(self, scope: str = ADMIN, client: str = "backoffice") -> str:
        """Of the client itself."""
        return (await self.bench.ask("client_credentials", client=client, scope=scope)).access

    async def persons_token(self, username: str = "olga", scope: str = ADMIN, client: str = "backoffice") -> str:
        return (await self.bench.issue(client=client, username=username, scope=scope)).access

    async def get(self, path: str, **query: str) -> Reply:
        return await self.send("GET", path, query)

    async def post(self, path: str, document: Any = None) -> Reply:
        return await self.send("POST", path, document=document)

    async def patch(self, path: str, document: Any) -> Reply:
        return await self.send("PATCH", path, document=document)

    async def put(self, path: str, document: Any) -> Reply:
        return await self.send("PUT", path, document=document)

    async def delete(self, path: str) -> Reply:
        return await self.send("DELETE", path)

    async def send(
        self,
        method: str,
        path: str,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        document: Any = None,
    ) -> Reply:
        sent = {"Authorization": f"Bearer {self.token}"} if headers is None else headers
        place = f"/admin/v1{path}"
        asked = self.web.request(method, place, params=query, headers=sent, json=document, allow_redirects=False)
        async with asked as answer:
            text = await answer.text()
            body = json.loads(text) if text else None
            check_described(method, place.partition("?")[0], answer.status, answer.content_type, body)
            return Reply(answer.status, body, answer.headers)

    def rule(self) -> str:
        """By which the last request was refused."""
        self.bench.request_log.flush()
        return str(json.loads(self.bench.lines.getvalue().splitlines()[-1]).get("rule"))

    def basic(self) -> dict[str, str]:
        return basic("backoffice", self.bench.secrets["backoffice"])
