"""Tokens of a real authorization server, looked up in its Token Status Lists, which takes the SDK no client."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from authcenter.core.errors import Reason, TokenRejected
from authcenter.core.rules import Rule
from authcenter.sdk.connection import open_status_verifier
from authcenter.sdk.status_verification import StatusVerification
from tests.integration.sdk.resource_server import HANG_SECONDS, eventually
from tests.integration.service.api import Credentials, until
from tests.integration.service.running import Service, policy, serving
from tests.servers.authcenter import AuthcenterProcess
from tests.workbench import rejected

pytestmark = pytest.mark.long

API = "https://status.sdk.example"


@pytest.fixture
def listing(tmp_path: Path) -> Iterator[Service]:
    process = AuthcenterProcess(tmp_path / "authcenter")
    process.policy_file.write_text("tokens: {status_list: true}")
    yield from serving(process)


def issued(service: Service, client: Credentials) -> str:
    """A token that names its list: a record that was slow to answer costs the claim."""
    found: list[str] = []

    def has_claim() -> bool:
        found.append(service.api.issue(client)["access_token"])
        return "status" in service.api.decoded(found[-1], API)

    until(has_claim, "a token with a status claim")
    return found[-1]


def uri(service: Service, token: str) -> str:
    return str(service.api.decoded(token, API)["status"]["status_list"]["uri"])


async def refused(verifier: StatusVerification, token: str) -> bool:
    try:
        await verifier.verify(token)
    except TokenRejected as rejection:
        return rejection.reason is Reason.REVOKED
    return False


@pytest.mark.timeout(300)
async def test_a_revoked_token_is_refused_and_validation_goes_on_while_the_server_is_gone(listing: Service) -> None:
    client = listing.operator.client("sdk-status", "client_credentials", audiences=[API], scopes=["read"])
    revoked, kept, unseen = (issued(listing, client) for _ in range(3))
    while uri(listing, kept) != uri(listing, unseen):
        # The hour was over between them, and the next has a list of its own.
        kept, unseen = unseen, issued(listing, client)
    async with open_status_verifier(listing.api.issuer, API, timeout_seconds=HANG_SECONDS) as verifier:
        for token in (revoked, kept):
            assert (await verifier.verify(token, "read")).client_id == client.client_id
        listing.api.revoke(client, revoked)
        await eventually(lambda: refused(verifier, revoked), "it is refused")
        assert await verifier.verify(kept)

        listing.process.kill()
        for token in (kept, unseen):
            assert await verifier.verify(token), "the list at hand goes on answering"
        with rejected(Rule.TOKEN_REVOKED, Reason.REVOKED):
            await verifier.verify(revoked)

        listing.process.start()
        assert await verifier.verify(kept)


async def test_a_token_without_the_claim_holds_by_itself(listing: Service) -> None:
    client = listing.operator.client("sdk-unlisted", "client_credentials", audiences=[API], scopes=["read"])
    with policy(listing, "tokens: {status_list: false}"):
        token = listing.api.issue(client)["access_token"]
        async with open_status_verifier(listing.api.issuer, API, timeout_seconds=HANG_SECONDS) as verifier:
            assert "status" not in (await verifier.verify(token)).claims
