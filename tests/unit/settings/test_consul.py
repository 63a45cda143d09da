"""The policy source's loop: what it asks after which answer, whatever Consul's history does."""

import asyncio

import pytest

from authcenter.settings.consul import ConsulPolicySource
from authcenter.settings.consul_kv import Answer, Entry
from authcenter.settings.errors import ConsulUnavailable

DOWN = ConsulUnavailable("refused")


def answer(index: int, text: str | None = None) -> Answer:
    return Answer(index, None if text is None else Entry("k", text.encode(), index))


class Script:
    """Gives its answers in turn, then hangs; remembers which index was waited for."""

    def __init__(self, *answers: Answer | Exception) -> None:
        self.left = list(answers)
        self.asked: list[int | None] = []
        self.over = asyncio.Event()

    async def get(self, _key: str, *, after: int | None = None, wait_seconds: float = 0) -> Answer:
        self.asked.append(after)
        assert bool(wait_seconds) == bool(after)
        if not self.left:
            self.over.set()
            await asyncio.Event().wait()
        following = self.left.pop(0)
        if isinstance(following, Exception):
            raise following
        return following


SCRIPTS = [
    pytest.param([answer(7, "a"), answer(9, "b")], [None, 7, 9], ["a", "b"], 0, id="a change"),
    pytest.param([answer(7, "a"), answer(7, "a")], [None, 7, 7], ["a"], 0, id="nothing new"),
    pytest.param([answer(7, "a"), answer(3, "b"), answer(3, "c")], [None, 7, None, 3], ["a", "c"], 0, id="backwards"),
    pytest.param([answer(7, "a"), DOWN, DOWN, answer(8, "b")], [None, 7, None, None, 8], ["a", "b"], 2, id="down"),
    pytest.param([answer(7, "a"), answer(8), answer(9, "a")], [None, 7, 8, 9], ["a"], 1, id="deleted, written again"),
    pytest.param([answer(0, "a"), answer(5, "a")], [None, None, 5], ["a"], 1, id="no index"),
    pytest.param([answer(7, "")], [None, 7], [""], 0, id="an empty value is for the parser to refuse"),
]


@pytest.mark.parametrize(("answers", "asked", "told", "pauses"), SCRIPTS)
async def test_each_answer_decides_the_next_question(
    answers: list[Answer | Exception], asked: list[int | None], told: list[str], pauses: int
) -> None:
    script, texts, slept = Script(*answers), [], []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async def listen() -> None:
        async for text in ConsulPolicySource(script, "k", sleep=sleep).changes():
            texts.append(text)

    listening = asyncio.create_task(listen())
    await script.over.wait()
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    assert (script.asked, texts, len(slept)) == (asked, told, pauses)


async def test_pauses_grow_to_a_bound_while_consul_is_down() -> None:
    script, slept = Script(*[DOWN] * 12), []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    listening = asyncio.create_task(anext(aiter(ConsulPolicySource(script, "k", sleep=sleep).changes())))
    await script.over.wait()
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    assert slept[0] <= 0.2
    assert 2.5 <= slept[-1] <= 5
