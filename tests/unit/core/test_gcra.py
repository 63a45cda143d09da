"""Slots that come free one by one: never too many in any span of time."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authcenter.core.gcra import SlotTable

RATES = [(1, 1), (1, 86_400), (10, 3600), (6000, 60), (100_000, 1), (7, 3600)]
NOW = 1_893_499_200.0


@pytest.mark.parametrize(("limit", "per_seconds"), RATES)
def test_exactly_the_limit_at_once_and_then_one_after_the_other(limit: int, per_seconds: int) -> None:
    table = SlotTable(limit, per_seconds, NOW)
    assert sum(table.take("k", NOW) == 0 for _ in range(limit + 5)) == limit
    wait = table.take("k", NOW)
    assert wait == pytest.approx(per_seconds / limit, rel=0.05)
    assert table.left("k", NOW) == (0, pytest.approx(per_seconds))
    assert table.take("k", NOW + wait) == 0
    assert table.take("k", NOW + wait) > 0


def test_after_its_period_all_is_free_again() -> None:
    table = SlotTable(10, 60, NOW)
    for _ in range(10):
        table.take("k", NOW)
    assert table.left("k", NOW + 60) == (10, 0.0)
    assert table.take("k", NOW + 60, 10) == 0


@given(
    limit=st.integers(1, 50),
    per_seconds=st.sampled_from([1, 60, 3600]),
    steps=st.lists(st.tuples(st.floats(0, 2, allow_nan=False), st.integers(1, 8)), max_size=200),
)
def test_no_span_of_time_gives_more_than_the_limit_and_the_rate(
    limit: int, per_seconds: int, steps: list[tuple[float, int]]
) -> None:
    table, now = SlotTable(limit, per_seconds, NOW), NOW
    given_at: list[float] = []
    for periods, slots in steps:
        now += periods * per_seconds / limit
        if table.take("k", now, slots) == 0:
            given_at += [now] * slots
    for first in range(len(given_at)):
        for last in range(first, len(given_at)):
            allowed = limit + (given_at[last] - given_at[first]) * limit / per_seconds
            assert last - first + 1 <= allowed + 0.01


@given(steps=st.lists(st.tuples(st.floats(0, 30), st.booleans()), max_size=100))
def test_what_is_refused_is_free_once_the_wait_is_over_and_not_before(steps: list[tuple[float, bool]]) -> None:
    table, now = SlotTable(5, 60, NOW), NOW
    for pause, _ in steps:
        now += pause
        assert table.wait("k", now) == table.wait("k", now)
        if wait := table.take("k", now):
            assert table.wait("k", now) == wait
            # A thousandth of a slot, 0.012 s here, is what sums of floats may be off by.
            assert table.wait("k", now + wait - 0.02) > 0
            now += wait
            assert table.take("k", now) == 0


@given(taken=st.integers(0, 10), returned=st.integers(0, 20))
def test_giving_back_gives_never_more_than_was_taken(taken: int, returned: int) -> None:
    table = SlotTable(10, 60, NOW)
    for _ in range(taken):
        table.take("k", NOW)
    for _ in range(returned):
        table.give_back("k", NOW)
    assert table.left("k", NOW)[0] == min(10, 10 - taken + returned)


def test_a_refused_take_takes_nothing() -> None:
    table = SlotTable(10, 60, NOW)
    table.take("k", NOW, 8)
    assert table.take("k", NOW, 3) == pytest.approx(6)
    assert table.left("k", NOW)[0] == 2
    assert table.take("k", NOW, 2) == 0


def test_more_than_the_limit_is_never_to_be_had() -> None:
    assert math.isinf(SlotTable(10, 60, NOW).take("k", NOW, 11))


def test_keys_know_nothing_of_each_other() -> None:
    table = SlotTable(1, 60, NOW)
    assert table.take("a", NOW) == 0
    assert table.take("b", NOW) == 0
    assert table.take("a", NOW) > 0


def test_what_came_free_is_forgotten() -> None:
    table = SlotTable(1, 1, NOW)
    for number in range(50_000):
        table.take(f"k{number}", NOW + number * 0.01)
    assert len(table) < 3000


def test_strangers_cannot_fill_the_memory_and_the_latest_stay() -> None:
    table = SlotTable(1, 86_400, NOW, most_keys=5000)
    for number in range(50_000):
        table.take(f"k{number}", NOW + number * 0.001)
    assert len(table) <= 5001
    assert table.take("k49999", NOW + 50) > 0
