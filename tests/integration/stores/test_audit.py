"""Conformance of ``AuditLog``, and of how events come to it with a write."""

import asyncio
import json
from collections import Counter
from dataclasses import replace

from authcenter.audit.chain import first_break
from authcenter.core.cut import Consequences
from authcenter.core.event import Event, EventKind
from tests.integration.stores.backends import Stores
from tests.integration.stores.samples import AWKWARD, LONG_ID, a_client, an_event


async def test_a_row_says_what_the_event_said(stores: Stores) -> None:
    await stores.audit.append(an_event(EventKind.KEY_REVOKED))
    (row,) = await stores.proven_rows()
    assert (row.event, row.actor, row.client_id, row.subject) == ("key.revoked", "cli:root", LONG_ID, "usr_ada")
    assert (row.ip, row.user_agent, row.request_id) == ("2001:db8::1", AWKWARD, "0195-request")
    assert json.loads(row.context) == an_event().context
    assert (row.sequence, row.prev_hash) == (1, "0" * 64)


async def test_an_event_needs_no_request(stores: Stores) -> None:
    await stores.audit.append(Event(EventKind.KEY_CREATED, "cli:root"))
    (row,) = await stores.proven_rows()
    assert (row.client_id, row.subject, row.ip, row.context) == ("", "", "", "{}")


async def test_events_of_one_write_are_chained_in_order(stores: Stores) -> None:
    kinds = [EventKind.CLIENT_CREATED, EventKind.RESOURCE_CREATED, EventKind.TOKENS_CUT]
    events = [an_event(kind) for kind in kinds]
    await stores.clients.add(a_client(), (), Consequences(events=events))
    assert [row.event for row in await stores.proven_rows()] == kinds
    assert stores.counted == events


async def test_a_refused_write_leaves_no_gap_in_the_chain(stores: Stores) -> None:
    await stores.audit.append(an_event())
    assert not await stores.clients.remove("nobody", Consequences(events=[an_event()]))
    await stores.audit.append(an_event())
    assert [row.sequence for row in await stores.proven_rows()] == [1, 2]
    assert len(stores.counted) == 2


async def test_an_alteration_of_a_stored_row_is_found(stores: Stores) -> None:
    for number in range(3):
        await stores.audit.append(an_event(number=number))
    rows = await stores.proven_rows()
    altered = replace(rows[1], context=rows[1].context.replace("1", "2"))
    assert first_break([rows[0], altered, rows[2]]) == altered


async def test_fifty_concurrent_writers_make_chains_that_hold(processes: tuple[Stores, Stores]) -> None:
    async def write(number: int) -> None:
        stores, client = processes[number % 2], a_client(f"client {number % 40}")
        events = Consequences(events=[an_event(number=number), an_event(EventKind.CLIENT_UPDATED, number=number)])
        await stores.clients.add(client, (), events)

    answers = await asyncio.gather(*(write(number) for number in range(50)), return_exceptions=True)
    rows = await processes[0].proven_rows()
    assert answers.count(None) == 40
    assert len(rows) == 80
    # Of a write, both events or neither.
    assert set(Counter(json.loads(row.context)["number"] for row in rows).values()) == {2}


async def test_a_chain_goes_on_after_a_writer_was_cancelled(stores: Stores) -> None:
    for rounds in range(20):
        appending = asyncio.ensure_future(stores.audit.append(an_event(round=rounds)))
        for _ in range(rounds):
            await asyncio.sleep(0)
        appending.cancel()
        await asyncio.wait([appending])
    await stores.audit.append(an_event(EventKind.KEY_RETIRED))
    rows = await stores.proven_rows()
    assert rows[-1].event == "key.retired"
