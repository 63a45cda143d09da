"""Conformance of ``JobQueue``: each id wakes one of those who wait for its kind."""

import asyncio
from datetime import timedelta

import pytest

from authcenter.core.ids import uuid7
from authcenter.core.job import Job
from authcenter.stores.ports.job_queue import JobQueue
from tests.integration.shared.conftest import Shared

LONG, SHORT = timedelta(minutes=2), timedelta(milliseconds=30)


@pytest.fixture
def queue(shared: Shared) -> JobQueue:
    assert shared.jobs is not None
    return shared.jobs


@pytest.fixture
def kind() -> str:
    """A kind of job that is this test's alone."""
    return uuid7()


async def test_who_waits_is_given_an_id_as_soon_as_there_is_one(queue: JobQueue, kind: str) -> None:
    waiting = asyncio.create_task(queue.pop(["other", kind], LONG))
    await asyncio.sleep(0)
    job = Job(kind, {})
    await queue.push([job])
    assert await waiting == job.job_id
    assert await queue.pop([kind], SHORT) is None


async def test_an_id_that_nobody_waited_for_is_there_for_who_comes(queue: JobQueue, kind: str) -> None:
    jobs = [Job(kind, {}) for _ in range(3)]
    await queue.push(jobs)
    assert [await queue.pop([kind], LONG) for _ in jobs] == [job.job_id for job in jobs]


async def test_each_id_is_given_to_one_and_only_of_the_kinds_asked_for(queue: JobQueue, kind: str) -> None:
    wanted, others = [Job(kind, {}) for _ in range(20)], [Job(f"{kind}-else", {}) for _ in range(3)]
    await queue.push([*others, *wanted])
    # One after the other, as a process does: redis-py's cluster client drops connections while it opens some.
    given = [await queue.pop([kind], LONG) for _ in wanted]
    assert sorted(map(str, given)) == sorted(job.job_id for job in wanted)
    assert await queue.pop([kind], SHORT) is None


async def test_what_nobody_takes_is_bounded(queue: JobQueue, kind: str) -> None:
    jobs = [Job(kind, {}) for _ in range(1_200)]
    await queue.push(jobs)
    await queue.push([])
    assert await queue.pop([kind], LONG) == jobs[200].job_id
