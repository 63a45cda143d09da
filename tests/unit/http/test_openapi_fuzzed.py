"""What schemathesis makes of the description: whatever is sent, the service answers as it says it does."""

import asyncio
from collections.abc import Mapping
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
from authcenter.core.secret import Secret
from authcenter.http.openapi import description
from authcenter.http.server import Listener
from tests.unit.http.requests import basic
from tests.workbench import ISSUER, PASSWORD, Workbench

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = {"protocol": 12, "apps": 12, "pages": 3, "admin": 8}
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


@pytest.mark.parametrize("area", EXAMPLES)
async def test_what_is_answered_is_what_is_described(area: str, cheap_hashing: PasswordHashing) -> None:
    bench = await Workbench(cheap_hashing, POLICY).start()
    credentials = await _credentials(bench)
    listener = await Listener(bench.service.public, "127.0.0.1", 0).open()
    try:
        await asyncio.to_thread(_fuzz, area, f"http://127.0.0.1:{listener.port}", credentials[area])
    finally:
        await listener.runner.cleanup()


async def _credentials(bench: Workbench) -> Mapping[str, Mapping[str, str]]:
    grants = frozenset({"client_credentials", "password", "refresh_token"})
    await bench.client("backoffice", grants=grants, scopes=frozenset({ADMIN}), audiences=(f"{ISSUER}/admin",))
    await bench.core.accounts.create("olga", "olga@example.com", Secret(PASSWORD), ["operator"], actor="tests")
    admin = (await bench.ask("client_credentials", client="backoffice", scope=ADMIN)).access
    person = (await bench.issue(scope="read")).access
    return {
        "protocol": basic("app", bench.secrets["app"]),
        "apps": {"Authorization": f"Bearer {person}"},
        "pages": {},
        "admin": {"Authorization": f"Bearer {admin}"},
    }


def _fuzz(area: str, address: str, credentials: Mapping[str, str]) -> None:
    schema = schemathesis.openapi.from_dict(description(ISSUER)).include(tag=area)
    with requests.Session() as session:
        for operation in schema.get_all_operations():
            _send(operation.ok(), session, address, credentials, EXAMPLES[area])


def _send(
    operation: Any, session: requests.Session, address: str, credentials: Mapping[str, str], examples: int
) -> None:
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
        for headers in ({}, credentials):
            response = case.call(base_url=address, session=session, headers=headers, allow_redirects=False)
            case.validate_response(response, checks=CHECKS)

    send()
