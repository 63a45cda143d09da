"""Keys in a resource server's process: when they are fetched, and when they are not."""

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from authcenter.sdk.fetching import Fetched
from authcenter.sdk.key_cache import KeyCache, lifetime
from authcenter.sdk.observer import FetchOutcome
from authcenter.sdk.verification import KeysUnavailable
from tests.unit.sdk.published import METADATA, PublishedByIssuer, SetTime, signing_key
from tests.unit.sdk.watching import Watching
from tests.workbench import ISSUER

COOLDOWN = 5.0


class Opened:
    """A cache whose background stands still: tests say when it fetches."""

    def __init__(self) -> None:
        self.issuer, self.time, self.watching = PublishedByIssuer(), SetTime(), Watching()
        self.slept: list[float] = []
        self.cache = KeyCache(
            ISSUER,
            self.issuer,
            self.watching,
            unknown_kid_cooldown=COOLDOWN,
            monotonic=self.time,
            uniform=lambda low, high: (low + high) / 2,
            sleep=self._sleep,
        )

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.Event().wait()

    async def idle(self) -> None:
        """Wait until the background sleeps."""
        known = len(self.slept)
        while len(self.slept) == known:
            await asyncio.sleep(0)

    @property
    def kids(self) -> list[str]:
        return [key.kid for key in self.issuer.keys if self.cache.find(key.kid) is not None]


@pytest.fixture
async def opened() -> AsyncIterator[Opened]:
    made = Opened()
    async with made.cache:
        await made.idle()
        yield made


LIFETIMES = [
    pytest.param("public, max-age=450", "", 450, id="as stated"),
    pytest.param("max-age=86400", "", 600, id="a day: ten minutes"),
    pytest.param("max-age=0", "", 300, id="none: five minutes"),
    pytest.param("no-store", "", 300, id="not to be kept: five minutes"),
    pytest.param("", "", 300, id="nothing stated"),
    pytest.param("max-age=600", "200", 400, id="200 seconds old"),
    pytest.param("max-age=600", "x", 600, id="of an age that is none"),
    pytest.param("max-age=600", "9" * 5_000, 600, id="of an age that is no number anybody means"),
    pytest.param("max-age=99999999999999999999", "", 600, id="forever"),
    pytest.param('MAX-AGE="500"', "", 500, id="quoted, in capitals"),
    pytest.param("s-maxage=500", "", 300, id="for shared caches only"),
    pytest.param("max-age=-5", "", 300, id="negative"),
    pytest.param("max-age=\u0665\u0665\u0665", "", 300, id="digits of another script"),
]


@pytest.mark.parametrize(("cache_control", "age", "seconds"), LIFETIMES)
def test_a_key_set_lives_from_five_to_ten_minutes(cache_control: str, age: str, seconds: int) -> None:
    assert lifetime(cache_control, age) == seconds


async def test_keys_are_there_before_anybody_asks(opened: Opened) -> None:
    assert opened.kids == [signing_key().kid]
    assert opened.watching.outcomes == [FetchOutcome.FETCHED]


async def test_the_background_fetches_again_before_the_time_is_over(opened: Opened) -> None:
    (slept,) = opened.slept
    assert 600 * 0.75 <= slept <= 600 * 0.9


async def test_a_background_that_follows_for_an_hour_asks_a_dozen_times_or_less() -> None:
    issuer, time = PublishedByIssuer(), SetTime()
    over = asyncio.Event()

    async def sleep(seconds: float) -> None:
        time.at += seconds
        if time.at > 1_000 + 3_600:
            over.set()
            await asyncio.Event().wait()

    async with KeyCache(ISSUER, issuer, monotonic=time, uniform=lambda low, high: (low + high) / 2, sleep=sleep):
        await over.wait()
    assert 6 <= issuer.fetches <= 12
    assert issuer.etags[1:] == [issuer.etags[1]] * (issuer.fetches - 1)


async def test_what_has_not_changed_keeps_its_version(opened: Opened) -> None:
    version = opened.cache.version
    await opened.cache.refresh()
    assert opened.issuer.etags[0] == ""
    assert opened.issuer.etags[1].startswith('"')
    opened.issuer.with_etags = False
    await opened.cache.refresh()
    assert opened.cache.version == version
    assert opened.watching.outcomes[1:] == [FetchOutcome.UNCHANGED] * 2


async def test_a_key_that_has_left_the_set_stops_verifying_at_the_next_refresh(opened: Opened) -> None:
    version = opened.cache.version
    opened.issuer.keys = [signing_key(number=1)]
    assert opened.cache.find(signing_key().kid) is not None
    await opened.cache.refresh()
    assert opened.cache.find(signing_key().kid) is None
    assert opened.cache.version != version


async def test_many_that_ask_at_once_share_one_flight(opened: Opened) -> None:
    opened.issuer.gate = asyncio.Event()
    asking = [asyncio.create_task(opened.cache.learn()) for _ in range(50)]
    await asyncio.sleep(0)
    opened.issuer.gate.set()
    assert await asyncio.gather(*asking) == [True] * 50
    assert opened.issuer.fetches == 2


async def test_who_gives_up_waiting_does_not_end_the_flight(opened: Opened) -> None:
    opened.issuer.gate = asyncio.Event()
    opened.issuer.keys = [signing_key(number=1)]
    impatient, patient = (asyncio.create_task(opened.cache.learn()) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.sleep(0)
    opened.issuer.gate.set()
    assert await patient
    assert opened.kids == [signing_key(number=1).kid]


async def test_a_storm_of_unknown_keys_is_one_fetch_in_five_seconds(opened: Opened) -> None:
    for second in range(20):
        for _ in range(100):
            await opened.cache.learn()
        assert opened.issuer.fetches == 2 + second // COOLDOWN
        opened.time.at += 1


async def test_the_cool_down_holds_after_a_failure_too_and_failures_wait_longer_each_time(opened: Opened) -> None:
    opened.issuer.down = True
    tried = []
    for second in range(600):
        before = len(opened.issuer.asked)
        await opened.cache.learn()
        tried += [second] * (len(opened.issuer.asked) > before)
        opened.time.at += 1
    gaps = [later - earlier for earlier, later in pairwise(tried)]
    assert min(gaps) >= COOLDOWN
    assert max(gaps) <= 60
    assert len(tried) < 30
    assert opened.kids == [signing_key().kid]


async def test_a_background_refresh_does_not_use_up_what_unknown_keys_may_ask(opened: Opened) -> None:
    await opened.cache.refresh()
    opened.issuer.keys = [signing_key(number=1)]
    assert await opened.cache.learn()
    assert opened.kids == [signing_key(number=1).kid]


async def test_the_last_good_set_stays_while_the_server_is_gone(opened: Opened) -> None:
    version = opened.cache.version
    opened.issuer.down = True
    for _ in range(100):
        opened.time.at += 3_600
        await opened.cache.refresh()
    assert opened.kids == [signing_key().kid]
    assert opened.cache.version == version
    assert 0 < opened.cache.due_in() <= 60


BROKEN = [
    pytest.param(Fetched(500), id="an error"),
    pytest.param(Fetched(302, b"{}"), id="a redirect"),
    pytest.param(Fetched(200, b"<html>"), id="a page"),
    pytest.param(Fetched(200, b'{"keys": 1}'), id="no key set"),
]


@pytest.mark.parametrize("answer", BROKEN)
async def test_an_answer_that_is_no_key_set_changes_nothing(
    opened: Opened, answer: Fetched, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def get(url: str, etag: str = "") -> Fetched:
        return answer

    monkeypatch.setattr(opened.issuer, "get", get)
    await opened.cache.refresh()
    assert opened.kids == [signing_key().kid]
    assert opened.watching.outcomes[-1] is FetchOutcome.FAILED


async def test_after_a_failure_the_metadata_is_read_again_for_the_keys_may_have_moved(opened: Opened) -> None:
    opened.issuer.down = True
    await opened.cache.refresh()
    opened.issuer.down = False
    opened.issuer.asked.clear()
    await opened.cache.refresh()
    assert opened.issuer.asked[0] == METADATA


async def test_metadata_of_another_issuer_yields_no_keys() -> None:
    made = Opened()
    made.issuer.metadata = json.dumps({"issuer": "https://evil.example", "jwks_uri": METADATA}).encode()
    async with made.cache:
        await made.idle()
        with pytest.raises(KeysUnavailable):
            made.cache.find(signing_key().kid)


async def test_a_server_never_reached_is_said_to_be_so_and_asked_again_when_due() -> None:
    made = Opened()
    made.issuer.down = True
    async with made.cache:
        await made.idle()
        asked = len(made.issuer.asked)
        with pytest.raises(KeysUnavailable) as caught:
            await made.cache.learn()
        assert caught.value.retry_after >= 1
        assert len(made.issuer.asked) == asked
        made.issuer.down = False
        made.time.at += 60
        assert await made.cache.learn()
        assert made.kids == [signing_key().kid]


async def test_the_first_request_waits_for_the_first_answer() -> None:
    made = Opened()
    made.issuer.gate = asyncio.Event()
    async with made.cache:
        asking = asyncio.create_task(made.cache.learn())
        await asyncio.sleep(0)
        made.issuer.gate.set()
        assert await asking
        assert made.issuer.fetches == 1


async def test_closed_it_fetches_no_more_and_what_is_under_way_ends() -> None:
    made = Opened()
    made.issuer.gate = asyncio.Event()
    async with made.cache:
        await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == 1
    with pytest.raises(RuntimeError, match="event loop"):
        await made.cache.learn()


async def test_another_loop_may_not_use_it(opened: Opened) -> None:
    with pytest.raises(RuntimeError, match="event loop"):
        await asyncio.to_thread(asyncio.run, opened.cache.learn())
