"""What schemathesis makes of the description: whatever is sent, the service answers as it says it does."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from authcenter.accounts.passwords import PasswordHashing
from authcenter.core.scope import ADMIN
from authcenter.http.openapi import description
from authcenter.http.server import Listener
from tests.unit.http.requests import basic
from tests.workbench import API, ISSUER, Workbench

pytestmark = pytest.mark.long

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = {"protocol": 4, "apps": 6, "pages": 2, "admin": 4}
POLICY = """
rate_limits:
  token_per_client: 1000000/minute
  client_auth_failures_per_ip: 1000000/minute
  login_failures_per_ip: 1000000/hour
  login_failures_per_account: 1000000/hour
  signup_per_ip: 1000000/hour
  mail_per_address: 1000000/hour
accounts: {signup: true}
registration: {mode: open}
gateways: {shop: {audience: "https://api.example"}}
"""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends it.

    Attributes:
        credentials: Makes headers by which a request may be granted, by the name of the security scheme.
        known: What is really there, by the name of the path's variable part.
    """

    address: str
    credentials: Callable[[str], Mapping[str, str]]
    known: Mapping[str, str]


@pytest.mark.parametrize("area", EXAMPLES)
async def test_what_is_answered_is_what_is_described(area: str, cheap_hashing: PasswordHashing) -> None:
    bench = await Workbench(cheap_hashing, POLICY).start()
    grants = frozenset({"client_credentials", "password", "refresh_token"})
    await bench.client("backoffice", grants=grants, scopes=frozenset({ADMIN}), audiences=(f"{ISSUER}/admin",))
    await bench.client("phone", grants=grants, scopes=frozenset({"openid"}), audiences=(API,), first_party=True)
    loop = asyncio.get_running_loop()

    async def credentials(scheme: str) -> Mapping[str, str]:
        match scheme:
            case "client":
                return basic("app", bench.secrets["app"])
            case "bearer":
                token = await bench.issue(client="phone", scope="openid")
            case "operator":
                token = await bench.ask("client_credentials", client="backoffice", scope=ADMIN)
            case _:
                return {}
        return {"Authorization": f"Bearer {token.access}"}

    def make_credentials(scheme: str) -> Mapping[str, str]:
        return asyncio.run_coroutine_threadsafe(credentials(scheme), loop).result()

    listener = await Listener(bench.service.public, "127.0.0.1", 0).open()
    sender = Sender(f"http://127.0.0.1:{listener.port}", make_credentials, _known(bench))
    try:
        await asyncio.to_thread(_fuzz, area, sender)
    finally:
        await listener.runner.cleanup()


def _known(bench: Workbench) -> Mapping[str, str]:
    spare = bench.core.keys.ring.signer("EdDSA").kid
    return {
        "sub": bench.alice.subject,
        "client_id": "other",
        "kid": spare,
        "gateway": "shop",
        "file": "style.css",
    }


def _fuzz(area: str, sender: Sender) -> None:
    schema = schemathesis.openapi.from_dict(description(ISSUER)).include(tag=area)
    with requests.Session() as session:
        for operation in schema.get_all_operations():
            _send(operation.ok(), session, sender, EXAMPLES[area])


def _send(operation: Any, session: requests.Session, sender: Sender, examples: int) -> None:
    schemes = [name for way in operation.definition.raw["security"] for name in way]
    # Anew for each operation: one before it may have signed its owner out.
    credentials = sender.credentials(schemes[0] if schemes else "")

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
    def send(case: Any) -> None:
        def check(headers: Mapping[str, str]) -> None:
            response = case.call(base_url=sender.address, session=session, headers=dict(headers), allow_redirects=False)
            case.validate_response(response, checks=CHECKS)

        check({})
        check(credentials)
        there = {name: sender.known.get(name, value) for name, value in (case.path_parameters or {}).items()}
        if there != case.path_parameters:
            case.path_parameters = there
            check(credentials)

    send()
