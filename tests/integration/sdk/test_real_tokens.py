"""Tokens of a real authorization server at resource servers: whose they are, and whose they are not."""

from authcenter.core.errors import Reason
from authcenter.core.rules import Rule
from authcenter.sdk.connection import open_verifier
from tests.integration.sdk.resource_server import HANG_SECONDS
from tests.integration.service.record import PASSWORD
from tests.integration.service.running import Service
from tests.workbench import rejected

ORDERS, BILLING = "https://orders.sdk.example", "https://billing.sdk.example"


async def test_a_token_holds_at_the_api_it_was_asked_for_and_nowhere_else(service: Service) -> None:
    client = service.operator.client(
        "sdk-orders", "client_credentials", audiences=[ORDERS, BILLING], scopes=["read", "write"]
    )
    for_orders, for_billing = (
        service.api.issue(client, resource=audience, scope="read")["access_token"] for audience in (ORDERS, BILLING)
    )
    async with open_verifier(service.api.issuer, ORDERS, timeout_seconds=HANG_SECONDS) as orders:
        held = await orders.verify(for_orders, "read")
        assert (held.client_id, held.subject, held.audience) == (client.client_id, client.client_id, (ORDERS,))
        for _ in range(2):
            with rejected(Rule.TOKEN_AUDIENCE, Reason.AUDIENCE):
                await orders.verify(for_billing)
        assert await orders.verify(for_orders) is held
    async with open_verifier(service.api.issuer, client.client_id, timeout_seconds=HANG_SECONDS) as named_as_the_client:
        with rejected(Rule.TOKEN_AUDIENCE, Reason.AUDIENCE):
            await named_as_the_client.verify(for_orders)


async def test_a_refresh_token_is_no_access_token(service: Service) -> None:
    client = service.operator.client(
        "sdk-user", "password", "refresh_token", audiences=[ORDERS], scopes=["read"], first_party=True
    )
    service.operator.user("sdk-alice")
    answer = service.api.issue(client, "password", username="sdk-alice", password=PASSWORD)
    async with open_verifier(service.api.issuer, ORDERS, timeout_seconds=HANG_SECONDS) as orders:
        assert (await orders.verify(answer["access_token"])).subject.startswith("usr_")
        with rejected(Rule.TOKEN_MALFORMED, Reason.MALFORMED):
            await orders.verify(answer["refresh_token"])


async def test_a_signed_introspection_answer_is_no_access_token(service: Service) -> None:
    client = service.operator.client(
        "sdk-asks", "client_credentials", audiences=[ORDERS], serves=[ORDERS], scopes=["read"]
    )
    token = service.api.issue(client)["access_token"]
    answer = service.api.introspect(client, token, headers={"Accept": "application/token-introspection+jwt"})
    assert answer.headers["Content-Type"] == "application/token-introspection+jwt"
    async with open_verifier(service.api.issuer, ORDERS, timeout_seconds=HANG_SECONDS) as orders:
        assert await orders.verify(token)
        with rejected(Rule.TOKEN_TYPE, Reason.TYPE):
            await orders.verify(answer.text)
