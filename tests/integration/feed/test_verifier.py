"""A verifier that follows the feed, as an application opens it: what is revoked is refused, seen before or not."""

import asyncio
import time
from functools import partial

import pytest

from authcenter.core.client import OnOutage
from authcenter.core.errors import Reason, RevocationsUnknown, TokenRejected
from authcenter.core.rules import Rule
from authcenter.sdk.connection import open_verifier
from authcenter.sdk.feed import RevocationFeed
from authcenter.sdk.opened_later import OpenedLater
from authcenter.sdk.verification import KeysUnavailable
from tests.integration.feed.conftest import Pair
from tests.integration.feed.following import API, ResourceServer, until
from tests.integration.feed.test_two_instances import issued, registered
from tests.integration.sdk.resource_server import eventually
from tests.workbench import rejected

pytestmark = pytest.mark.long

_HOUR = 3600.0


def refused(server: ResourceServer, token: str) -> bool:
    """Whether the verifier refuses it as revoked, by what it knows now."""
    try:
        server.verifier.check(token)
    except TokenRejected as rejection:
        return rejection.reason is Reason.REVOKED
    return False


async def test_a_token_revoked_on_one_instance_is_refused_by_who_follows_the_other(pair: Pair) -> None:
    app, api = await registered(pair)
    async with ResourceServer(pair.issuer, pair.other.api.url, api) as server:
        seen, unseen, kept = [(await issued(pair, app))["access_token"] for _ in range(3)]
        for token in (seen, kept):
            assert API in (await server.verifier.verify(token)).audience
        for token in (seen, unseen):
            await asyncio.to_thread(pair.one.api.revoke, app, token)
        await until(lambda: refused(server, seen) and refused(server, unseen), "both are refused")
        for token in (seen, unseen):
            with rejected(Rule.TOKEN_REVOKED, Reason.REVOKED):
                await server.verifier.verify(token)
        assert await server.verifier.verify(kept)


@pytest.mark.timeout(300)
async def test_closed_refuses_what_it_has_seen_once_it_is_stale_and_knows_all_before_it_accepts_again(
    pair: Pair,
) -> None:
    app, api = await registered(pair)
    closed = {"on_outage": OnOutage.CLOSED, "max_staleness": _HOUR}
    async with ResourceServer(pair.issuer, pair.other.api.url, api, **closed) as server:
        kept, meanwhile = [(await issued(pair, app))["access_token"] for _ in range(2)]
        for token in (kept, meanwhile):
            await server.verifier.verify(token)

        await asyncio.to_thread(pair.other.process.kill)
        await until(lambda: server.feed.status.problem, "the instance is gone")
        await asyncio.to_thread(pair.one.api.revoke, app, meanwhile)
        revoked_at = time.monotonic()
        assert await server.verifier.verify(kept), "what is known is young enough"

        server.feed.max_staleness = 0.1
        await until(lambda: server.feed.version is None, "it is too old")
        for token in (kept, meanwhile):
            for _ in range(2):
                with pytest.raises(RevocationsUnknown):
                    await server.verifier.verify(token)

        pair.other.process.start()  # not in a thread: it would end with that
        # From now on it answers only where it knows everything up to the revocation, or a later moment.
        server.feed.max_staleness = time.monotonic() - revoked_at

        def tells() -> bool:
            try:
                assert server.verifier.check(kept)
                assert refused(server, meanwhile)
            except RevocationsUnknown:
                return False
            return True

        await until(tells, "it is followed again")


@pytest.mark.timeout(300)
async def test_validation_goes_on_without_the_instance_and_what_another_revoked_arrives(pair: Pair) -> None:
    app, api = await registered(pair)
    async with ResourceServer(pair.issuer, pair.other.api.url, api) as server:
        seen, meanwhile = [(await issued(pair, app))["access_token"] for _ in range(2)]
        for token in (seen, meanwhile):
            await server.verifier.verify(token)
        await asyncio.to_thread(pair.other.process.kill)
        await until(lambda: server.feed.status.problem, "the instance is gone")
        unseen = (await issued(pair, app))["access_token"]
        await asyncio.to_thread(pair.one.api.revoke, app, meanwhile)
        for token in (seen, unseen, meanwhile):
            assert await server.verifier.verify(token), "nobody has told it anything"
        pair.other.process.start()  # not in a thread: it would end with that
        await until(lambda: refused(server, meanwhile), "what was revoked meanwhile is refused")
        for token in (seen, unseen):
            assert await server.verifier.verify(token)


async def test_it_is_opened_in_one_piece_when_the_application_starts(pair: Pair) -> None:
    app, api = await registered(pair)
    follow = partial(RevocationFeed, client_id=api.client_id, client_secret=api.secret or "")
    verifier = OpenedLater(pair.issuer, API, partial(open_verifier, revocations=follow))
    token = (await issued(pair, app))["access_token"]
    async with verifier.opened():

        async def revoked() -> bool:
            try:
                await verifier.verify(token)
            except TokenRejected:
                return True
            except KeysUnavailable:
                return False
            return False

        await asyncio.to_thread(pair.one.api.revoke, app, token)
        await eventually(revoked, "it is refused")
