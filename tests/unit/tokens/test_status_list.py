"""Status lists over memory stores: the claim, the places, the bits, and what happens without the record."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

import jwt
import pytest

from authcenter.core import base64url
from authcenter.core.cut import Cut, CutKind
from authcenter.core.errors import StoreUnavailable
from authcenter.tokens.status_lists import StatusLists
from authcenter.tokens.status_places import BLOCK_PLACES, PLACES, WINDOW_SECONDS, StatusPlaces, place_of
from tests.workbench import ISSUER, Answer, Workbench

ON = "tokens: {status_list: true}"


@pytest.fixture
async def listing(bench: Workbench) -> Workbench:
    bench.offer(ON)
    return bench


def lists_of(bench: Workbench) -> StatusLists:
    frame: Any = bench.service.public.__self__  # type: ignore[attr-defined]
    lists: StatusLists = frame.router.find("/oauth/status/x").handlers["GET"].__self__.lists
    return lists


def place(answer: Answer) -> tuple[str, int]:
    """The list's id and the place."""
    claim = answer.claims["status"]["status_list"]
    assert claim.keys() == {"idx", "uri"}
    assert claim["uri"].startswith(f"{ISSUER}/oauth/status/")
    return claim["uri"].rpartition("/")[2], claim["idx"]


async def claims_of(bench: Workbench, list_id: str) -> dict[str, Any]:
    """The claims of a list, verified with the published key as a stranger would."""
    signed = await lists_of(bench).get(list_id)
    assert signed is not None
    token = signed.body.decode()
    header = jwt.get_unverified_header(token)
    assert header["typ"] == "statuslist+jwt"
    key = bench.core.keys.ring.verifying[header["kid"]].public
    claims: dict[str, Any] = jwt.decode(token, key, [header["alg"]], options={"verify_exp": False, "verify_iat": False})
    return claims


async def bit(bench: Workbench, answer: Answer) -> int:
    list_id, index = place(answer)
    # What is learnt from the record each second, and a list is worked out once a second at most.
    bench.clock.advance(2)
    await bench.follow()
    claims = await claims_of(bench, list_id)
    assert claims["status_list"]["bits"] == 1
    places = zlib.decompress(base64url.decode(claims["status_list"]["lst"]))
    assert len(places) * 8 == PLACES
    return places[index >> 3] >> (index & 7) & 1


async def test_no_claim_unless_the_policy_says_so(bench: Workbench) -> None:
    assert "status" not in (await bench.issue()).claims
    assert not [asked for asked in bench.board.asked if asked.startswith("status_lists")]


async def test_a_list_says_what_the_draft_demands(listing: Workbench) -> None:
    answer = await listing.issue()
    claims = await claims_of(listing, place(answer)[0])
    assert claims["sub"] == answer.claims["status"]["status_list"]["uri"]
    assert claims["iss"] == ISSUER
    assert claims["iat"] <= listing.clock.seconds() < claims["exp"]
    assert claims["ttl"] > 0
    assert claims["status_list"].keys() == {"bits", "lst"}


async def by_revocation(bench: Workbench, answer: Answer) -> None:
    await bench.revoke(answer.access)


async def by_its_family(bench: Workbench, answer: Answer) -> None:
    await bench.revoke(answer.refresh)


def cut(kind: CutKind, value: Callable[[Workbench, Answer], str]) -> Callable[[Workbench, Answer], Awaitable[None]]:
    async def act(bench: Workbench, answer: Answer) -> None:
        await bench.core.revocations.cut([Cut(kind, value(bench, answer), "test")], "tests")

    return act


ACTS = [
    pytest.param(by_revocation, True, id="revocation"),
    pytest.param(by_its_family, True, id="end of its family"),
    pytest.param(cut(CutKind.FAMILY, lambda _, answer: answer.claims["fam"]), True, id="fam"),
    pytest.param(cut(CutKind.JTI, lambda _, answer: answer.claims["jti"]), True, id="jti"),
    pytest.param(cut(CutKind.SUBJECT, lambda _, answer: answer.claims["sub"]), False, id="sub"),
    pytest.param(cut(CutKind.CLIENT, lambda _, answer: answer.claims["client_id"]), False, id="client_id"),
    pytest.param(cut(CutKind.KEY, lambda bench, _: bench.signer.kid), False, id="kid"),
    pytest.param(cut(CutKind.EVERYTHING, lambda *_: ""), False, id="everything"),
]


@pytest.mark.parametrize(("act", "sibling_lives"), ACTS)
async def test_a_bit_is_set_by(
    listing: Workbench, act: Callable[[Workbench, Answer], Awaitable[None]], sibling_lives: bool
) -> None:
    answer, sibling = await listing.issue(), await listing.issue()
    assert [await bit(listing, one) for one in (answer, sibling)] == [0, 0]
    await act(listing, answer)
    assert [await bit(listing, one) for one in (answer, sibling)] == [1, 0 if sibling_lives else 1]


async def test_what_is_issued_after_a_cut_is_not_under_it(listing: Workbench) -> None:
    before = await listing.issue()
    listing.clock.advance(1)
    now = listing.clock.now()
    await listing.core.revocations.cut([Cut(CutKind.EVERYTHING, "", "test", up_to=now)], "tests")
    listing.clock.advance(1)
    after = await listing.ask("client_credentials", client="other")
    assert [await bit(listing, one) for one in (before, after)] == [1, 0]


async def test_a_session_is_cut_too(listing: Workbench) -> None:
    store = listing.core.stores.status_lists
    list_id, index = place(await listing.issue())
    entry = listing.record.tables.status_entries[list_id, index]
    await listing.core.revocations.cut([Cut(CutKind.SESSION, entry.session or "", "test")], "tests")
    listed = listing.record.tables.status_lists[list_id].listed
    assert await store.refused(listed) == [index]


def test_numbers_and_places_are_one_to_one() -> None:
    for key in (b"k" * 16, bytes(16)):
        assert {place_of(number, key) for number in range(PLACES)} == set(range(PLACES))


def test_places_do_not_follow_each_other() -> None:
    places = [place_of(number, b"k" * 16) for number in range(100)]
    assert places != sorted(places)
    assert [place_of(number, b"l" * 16) for number in range(100)] != places


async def test_no_place_is_given_twice_however_many_ask_at_once(bench: Workbench) -> None:
    store, clock = bench.core.stores.status_lists, bench.clock
    processes = [StatusPlaces(store, clock) for _ in range(3)]
    expires_at = int(clock.seconds()) + 900
    asked = [processes[n % 3].take(expires_at) for n in range(3 * BLOCK_PLACES)]
    assert len(set(await asyncio.gather(*asked))) == len(asked)


async def test_tokens_of_different_hours_are_in_different_lists(bench: Workbench) -> None:
    places, now = StatusPlaces(bench.core.stores.status_lists, bench.clock), int(bench.clock.seconds())
    one, other = await places.take(now), await places.take(now + WINDOW_SECONDS)
    assert one[0] != other[0]
    listed = {row.listed.list_id: row.listed for row in bench.record.tables.status_lists.values()}
    for expires_at, (list_id, _) in ((now, one), (now + WINDOW_SECONDS, other)):
        assert listed[list_id].begins_at.timestamp() <= expires_at < listed[list_id].lapses_at.timestamp()


async def test_a_token_is_issued_without_the_claim_while_the_record_is_gone(listing: Workbench) -> None:
    before = await listing.ask("client_credentials")
    listing.board.down = True
    during = [await listing.ask("client_credentials") for _ in range(3)]
    listing.board.down = False
    after = await listing.ask("client_credentials")
    assert "status" in before.claims
    assert "status" in after.claims
    assert not [one for one in during if "status" in one.claims]
    assert listing.counted("status_claim_total", outcome="omitted") == 3
    assert listing.counted("status_claim_total", outcome="given") == 2
    said = [call.args[0] if call.args else call.kwargs["event"] for call in listing.log.calls]
    assert [one for one in said if str(one).startswith("status_claim")] == [
        "status_claim_omitted",
        "status_claim_given_again",
    ]


async def test_a_list_that_was_served_goes_on_being_served_while_the_record_is_gone(listing: Workbench) -> None:
    list_id, _ = place(await listing.issue())
    before = await claims_of(listing, list_id)
    listing.board.down = True
    listing.clock.advance(600)
    during = await claims_of(listing, list_id)
    assert during == before, "it is as old as it says"
    # Within the second in which it is not tried again, too.
    listing.clock.advance(before["exp"] - listing.clock.seconds() - 0.5)
    assert await claims_of(listing, list_id) == before
    listing.clock.advance(0.5)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await lists_of(listing).get(list_id)
    listing.board.down = False
    listing.clock.advance(1)
    assert (await claims_of(listing, list_id))["exp"] > before["exp"]
    assert listing.counted("status_list_build_total", outcome="failed") >= 2
    assert listing.counted("status_list_build_total", outcome="built") == 2
    said = [str(call.args[0] if call.args else call.kwargs["event"]) for call in listing.log.calls]
    assert [one for one in said if one.startswith("status_list")] == ["status_list_stale", "status_list_built_again"]


async def test_asking_again_costs_the_record_nothing(listing: Workbench) -> None:
    list_id, _ = place(await listing.issue())
    lists = lists_of(listing)
    first = await lists.get(list_id)
    listing.board.asked.clear()
    again = await asyncio.gather(*(lists.get(list_id) for _ in range(100)))
    assert set(again) == {first}
    assert listing.board.asked == []


async def test_a_list_is_worked_out_once_for_all_who_ask_at_the_same_time(listing: Workbench) -> None:
    list_id, _ = place(await listing.issue())
    listing.board.asked.clear()
    assert len(set(await asyncio.gather(*(lists_of(listing).get(list_id) for _ in range(100))))) == 1
    assert listing.board.asked.count("status_lists.refused") == 1


async def test_a_list_without_news_keeps_its_bytes(listing: Workbench) -> None:
    list_id, _ = place(await listing.issue())
    lists = lists_of(listing)
    first = await lists.get(list_id)
    await listing.revoke((await listing.ask("client_credentials", client="other")).access, "app")
    listing.clock.advance(5)
    assert await lists.get(list_id) == first


async def test_a_new_key_signs_the_list_anew(listing: Workbench) -> None:
    list_id, _ = place(await listing.issue())
    first = await lists_of(listing).get(list_id)
    listing.offer("tokens: {status_list: true, signing_alg: EdDSA}")
    assert await lists_of(listing).get(list_id) != first
    assert (await claims_of(listing, list_id))["status_list"]["bits"] == 1


async def test_unknown_lists_cost_a_few_queries_however_many_ask(listing: Workbench) -> None:
    lists = lists_of(listing)
    listing.board.asked.clear()
    names = [f"{number:016d}" for number in range(200)]
    assert set(await asyncio.gather(*(lists.get(name) for name in names))) == {None}
    assert listing.board.asked.count("status_lists.lists") == 1
    listing.board.asked.clear()
    assert await lists.get("no name of ours") is None
    assert listing.board.asked == []


LISTS = "status_lists.lists"


async def test_which_lists_there_are_is_not_told_while_it_cannot_be_known(listing: Workbench) -> None:
    """Not as an empty array, by which verifiers that fetch lists ahead would go on."""
    uri = (await listing.issue()).claims["status"]["status_list"]["uri"]
    lists = lists_of(listing)
    listing.board.off.add(LISTS)
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            await lists.uris()
    listing.board.off.clear()
    assert await lists.uris() == [uri]


async def test_whoever_asks_during_the_first_reading_of_the_lists_waits_for_it(listing: Workbench) -> None:
    uri = (await listing.issue()).claims["status"]["status_list"]["uri"]
    reading = listing.board.held[LISTS] = asyncio.Event()
    asking = [asyncio.create_task(lists_of(listing).uris())]
    while LISTS not in listing.board.asked:
        await asyncio.sleep(0)
    asking += [asyncio.create_task(lists_of(listing).uris()) for _ in range(2)]
    await asyncio.sleep(0)
    reading.set()
    assert await asyncio.gather(*asking) == [[uri]] * 3


@pytest.mark.parametrize("down", [True, False])
async def test_all_who_wait_to_hear_of_lists_have_the_record_asked_twice_at_most(
    listing: Workbench, waits: list[float], down: bool
) -> None:
    await listing.issue()
    listing.board.asked.clear()
    if down:
        listing.board.off.add(LISTS)
    answers = await asyncio.gather(*(lists_of(listing).uris() for _ in range(50)), return_exceptions=True)
    assert {isinstance(answer, StoreUnavailable) for answer in answers} == {down}
    assert listing.board.asked.count(LISTS) <= 2
