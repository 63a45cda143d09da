"""What the revocation feed tells: snapshots, deltas, and cursors that any instance understands."""

from dataclasses import replace

import pytest

from authcenter.core.cut import CutKind
from authcenter.core.errors import RevocationsUnknown
from authcenter.core.token import AccessToken
from authcenter.sdk.feed_document import DocumentKind
from authcenter.sdk.feed_reading import FeedDocument, read_document
from authcenter.sdk.known_revocations import KnownRevocations
from authcenter.tokens import journal
from authcenter.tokens.feed import Cursor, RevocationFeed, SignedEntries
from authcenter.wiring.core import Core
from tests.forgery import forged
from tests.unit.sdk.known_keys import RingKeys
from tests.workbench import ISSUER, Workbench


def feed_of(bench: Workbench, core: Core) -> RevocationFeed:
    return RevocationFeed(core.revocations, core.keys, lambda: "ES256", ISSUER, bench.clock)


async def instance(bench: Workbench, width: int = 8) -> tuple[Core, RevocationFeed]:
    """One more process of the deployment, started now."""
    core = bench.another_core()
    await core.keys.reload()
    await core.revocations.poll(width)
    return core, feed_of(bench, core)


async def held(bench: Workbench, number: int) -> AccessToken:
    now = int(bench.clock.seconds())
    claims = {"jti": f"jti-{number}", "iat": now, "nbf": now, "exp": now + 900}
    return await bench.core.verifier.read_issued(forged(bench.signer, claims))


async def revoked(bench: Workbench, core: Core, number: int) -> AccessToken:
    token = await held(bench, number)
    await core.revocations.revoke(token, "tests", "tests")
    return token


class Follower:
    """What a resource server knows."""

    def __init__(self, bench: Workbench) -> None:
        self.bench, self.keys, self.known = bench, RingKeys(bench), KnownRevocations()

    async def take(self, made: SignedEntries) -> FeedDocument:
        document = await read_document(made.signed, made.packed, ISSUER, self.keys)
        self.known.take(document, self.bench.clock.seconds(), self.bench.clock.seconds())
        return document

    async def catch_up(self, feed: RevocationFeed) -> FeedDocument:
        return await self.take(feed.after(Cursor.parse(self.known.cursor or "")))


async def started(bench: Workbench, feed: RevocationFeed) -> Follower:
    follower = Follower(bench)
    await follower.take(await feed.snapshot())
    return follower


async def test_a_snapshot_and_what_comes_after_it(bench: Workbench) -> None:
    before = await revoked(bench, bench.core, 1)
    follower = await started(bench, bench.service.feed)
    after = await revoked(bench, bench.core, 2)
    assert follower.known.refusal(before)
    assert not follower.known.refusal(after)
    assert len((await follower.catch_up(bench.service.feed)).entries) == 1
    assert follower.known.refusal(after)
    assert len((await follower.catch_up(bench.service.feed)).entries) == 0


@pytest.mark.parametrize("width", [4, 8, 12, 16])
async def test_short_hashes_of_any_width(bench: Workbench, width: int) -> None:
    core, feed = await instance(bench, width)
    tokens = [await revoked(bench, core, number) for number in range(3)]
    follower = await started(bench, feed)
    tokens.append(await revoked(bench, core, 3))
    assert (await follower.catch_up(feed)).width == width
    assert all(follower.known.refusal(token) for token in tokens)


async def test_ids_of_cuts_do_not_leave(bench: Workbench) -> None:
    answer = await bench.issue()
    await bench.revoke(answer.refresh)
    made = await bench.service.feed.snapshot()
    family = str(answer.claims["fam"])
    assert family.encode() not in made.packed
    assert bench.alice.subject.encode() not in made.packed
    follower = await started(bench, bench.service.feed)
    assert follower.known.refusal(await bench.core.verifier.read_issued(answer.access))


async def test_a_cursor_holds_on_another_instance(bench: Workbench) -> None:
    other, feed = await instance(bench)
    follower = await started(bench, bench.service.feed)
    bench.clock.advance(5)
    token = await revoked(bench, bench.core, 1)
    await other.revocations.poll(8)
    assert (await follower.catch_up(feed)).kind is DocumentKind.DELTA
    assert follower.known.refusal(token)
    # And back again, with a cursor of the other's.
    back = await revoked(bench, other, 2)
    await bench.core.revocations.poll(8)
    assert (await follower.catch_up(bench.service.feed)).kind is DocumentKind.DELTA
    assert follower.known.refusal(back)


async def test_a_restarted_instance_goes_on_from_the_cursors_of_its_last_minutes(bench: Workbench) -> None:
    follower = await started(bench, bench.service.feed)
    bench.clock.advance(10)
    token = await revoked(bench, bench.core, 1)
    bench.clock.advance(200)
    _, restarted = await instance(bench)
    assert (await follower.catch_up(restarted)).kind is DocumentKind.DELTA
    assert follower.known.refusal(token)


async def test_who_was_away_for_longer_is_told_to_begin_anew(bench: Workbench) -> None:
    follower = await started(bench, bench.service.feed)
    token = await revoked(bench, bench.core, 1)
    bench.clock.advance(300)
    _, restarted = await instance(bench)
    assert (await follower.catch_up(restarted)).kind is DocumentKind.RESET
    await follower.take(await restarted.snapshot())
    assert follower.known.refusal(token)


UNKNOWN = [
    pytest.param({"position": 7}, id="a position that has not been"),
    pytest.param({"width": 16}, id="another width"),
    pytest.param({"epoch": "0" * 12, "as_of": 0}, id="another epoch, long ago"),
    pytest.param({"epoch": "0" * 12, "as_of": 1 << 52}, id="another epoch, in the future"),
]


@pytest.mark.parametrize("changes", UNKNOWN)
async def test_a_cursor_that_cannot_be_honoured_is_answered_with_a_reset(
    bench: Workbench, changes: dict[str, object]
) -> None:
    cursor = replace(bench.service.feed.here(), **changes)  # type: ignore[arg-type]
    assert bench.service.feed.after(cursor).kind is DocumentKind.RESET


async def test_what_the_journal_has_dropped_is_answered_with_a_reset(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_MOST_ENTRIES", 3)
    feed = bench.service.feed
    elsewhere = replace(feed.here(), epoch="0" * 12)
    cursors = [feed.here()]
    for number in range(5):
        bench.clock.advance(31)
        await revoked(bench, bench.core, number)
        cursors.append(feed.here())
    kinds = [feed.after(cursor).kind for cursor in cursors]
    assert kinds == [DocumentKind.RESET] * 2 + [DocumentKind.DELTA] * 4
    assert feed.after(elsewhere).kind is DocumentKind.RESET


async def test_another_width_begins_a_new_epoch(bench: Workbench) -> None:
    token = await revoked(bench, bench.core, 1)
    follower = await started(bench, bench.service.feed)
    await bench.core.revocations.poll(16)
    assert (await follower.catch_up(bench.service.feed)).kind is DocumentKind.RESET
    assert (await follower.take(await bench.service.feed.snapshot())).width == 16
    assert follower.known.refusal(token)


async def test_what_a_load_finds_is_told_to_those_who_follow(bench: Workbench) -> None:
    """After an outage the record is read anew, and nobody has to take a snapshot for it."""
    other, _ = await instance(bench)
    follower = await started(bench, bench.service.feed)
    token = await revoked(bench, other, 1)
    bench.clock.advance(120)
    await bench.core.revocations.poll(8)
    told = await follower.catch_up(bench.service.feed)
    assert (told.kind, len(told.entries)) == (DocumentKind.DELTA, 1)
    assert follower.known.refusal(token)


async def test_a_lifted_cut_is_told_as_such(bench: Workbench) -> None:
    answer = await bench.ask("client_credentials", client="other")
    token = await bench.core.verifier.read_issued(answer.access)
    follower = await started(bench, bench.service.feed)
    await bench.core.clients.disable("other", "tests")
    await bench.core.revocations.poll(8)
    await follower.catch_up(bench.service.feed)
    assert follower.known.refusal(token)
    await bench.core.clients.enable("other", "tests")
    await bench.core.revocations.poll(8)
    told = await follower.catch_up(bench.service.feed)
    assert [cut.lifted for cut in told.entries.cuts if cut.kind is CutKind.CLIENT] == [True]
    bench.clock.advance(2)
    fresh = await bench.core.verifier.read_issued((await bench.ask("client_credentials", client="other")).access)
    assert follower.known.refusal(token)
    assert not follower.known.refusal(fresh)


async def test_a_server_without_its_record_does_not_vouch_for_the_present(bench: Workbench) -> None:
    follower = await started(bench, bench.service.feed)
    as_of = bench.clock.seconds()
    bench.board.down = True
    bench.clock.advance(100)
    told = await follower.catch_up(bench.service.feed)
    assert (told.as_of, told.issued_at) == (as_of, as_of + 100)
    assert (await follower.take(await bench.service.feed.snapshot())).as_of == as_of
    assert follower.known.fresh_at == as_of


async def test_before_the_first_load_nothing_is_told(bench: Workbench) -> None:
    feed = feed_of(bench, bench.another_core())
    with pytest.raises(RevocationsUnknown):
        await feed.snapshot()
    with pytest.raises(RevocationsUnknown):
        feed.after(bench.service.feed.here())


async def test_one_document_serves_all_who_stand_at_one_cursor(bench: Workbench) -> None:
    feed = bench.service.feed
    cursor = feed.here()
    await revoked(bench, bench.core, 1)
    assert feed.after(cursor) is feed.after(cursor)
    first = feed.after(cursor)
    await revoked(bench, bench.core, 2)
    assert feed.after(cursor) is not first


async def test_a_snapshot_is_packed_again_only_when_it_is_old_and_there_is_more(bench: Workbench) -> None:
    feed = bench.service.feed
    first = await feed.snapshot()
    bench.clock.advance(100)
    await bench.core.revocations.poll(8)
    again = await feed.snapshot()
    assert again.packed is first.packed
    assert again.cursor.as_of > first.cursor.as_of
    await revoked(bench, bench.core, 1)
    await feed.snapshot()
    await revoked(bench, bench.core, 2)
    young = await feed.snapshot()
    assert young.cursor.position == 1
    follower = await started(bench, feed)
    assert len((await follower.catch_up(feed)).entries) == 1
    bench.clock.advance(5)
    assert (await feed.snapshot()).cursor.position == 2


MALFORMED = [
    "",
    "x",
    "8.1.2.3",
    "8." + "g" * 12,
    f"8.{'a' * 12}.1",
    f"8.{'a' * 12}.-1.2",
    f"8.{'a' * 12}.1.٣",
    f"8.{'a' * 12}.1.{'9' * 17}",
    f"x.{'a' * 12}.1.1",
    f"8.{'a' * 12}.1.1.1",
]


@pytest.mark.parametrize("text", MALFORMED)
def test_a_malformed_cursor_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="no "):
        Cursor.parse(text)


def test_a_cursor_is_read_as_it_was_written(bench: Workbench) -> None:
    cursor = bench.service.feed.here()
    assert Cursor.parse(str(cursor)) == cursor
