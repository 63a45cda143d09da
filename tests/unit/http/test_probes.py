"""Telling those who ask for readiness that it is over."""

import asyncio
from collections.abc import Sequence

import pytest

from authcenter.http.probes import Probes

HAPROXY, KUBELET = "192.0.2.1", "192.0.2.2"


class Seconds:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def probes(seconds: Seconds, monkeypatch: pytest.MonkeyPatch) -> Probes:
    monkeypatch.setattr("authcenter.http.probes._LONGEST_SECONDS", 600.0)
    return Probes(seconds)


async def waits(telling: "asyncio.Task[None]") -> bool:
    """Whether it still does after all that could go on has gone on."""
    for _ in range(10):
        await asyncio.sleep(0)
    return not telling.done()


async def test_who_never_was_asked_need_not_tell(probes: Probes) -> None:
    await probes.told()


async def test_everybody_hears_it_three_times(probes: Probes) -> None:
    for address in (HAPROXY, KUBELET):
        probes.note(address, ready=True)
    telling = asyncio.create_task(probes.told())
    assert await waits(telling)
    for address in (*[HAPROXY] * 5, KUBELET, KUBELET):
        probes.note(address, ready=False)
        assert await waits(telling)
    probes.note(KUBELET, ready=False)
    await telling


async def test_what_was_said_before_the_end_does_not_count(probes: Probes) -> None:
    for _ in range(3):
        probes.note(HAPROXY, ready=False)
    telling = asyncio.create_task(probes.told())
    assert await waits(telling)
    for _ in range(3):
        probes.note(HAPROXY, ready=False)
    await telling


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param([HAPROXY], id="one who asks no more"),
        pytest.param([f"198.51.100.{number}" for number in range(250)], id="many"),
    ],
)
async def test_nobody_waits_for_who_has_long_been_silent(
    probes: Probes, seconds: Seconds, asked: Sequence[str]
) -> None:
    for address in asked:
        probes.note(address, ready=True)
    seconds.now += 31
    await probes.told()
    probes.note(KUBELET, ready=True)
    assert len(probes._asked) == 1 or len(asked) == 1


async def test_who_asks_too_seldom_is_not_waited_for_without_end(
    probes: Probes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("authcenter.http.probes._LONGEST_SECONDS", 0.01)
    probes.note(HAPROXY, ready=True)
    await probes.told()
