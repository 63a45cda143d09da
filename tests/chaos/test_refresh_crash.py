"""``kill -9`` at every step between check and answer of a refresh: afterwards the token is unspent, or its retry within
the grace gets the very answer; never is anything lost, and never are there two successors."""

import http.client
from dataclasses import dataclass

import pytest

from tests.chaos.caller import Caller
from tests.chaos.deployment import PASSWORD, USER, Deployment, selector


@dataclass(frozen=True, slots=True)
class Step:
    """A step, and what its death leaves.

    Attributes:
        spent: Whether the token is spent afterwards.
    """

    name: str
    spent: bool


STEPS = [
    Step("before find", spent=False),
    Step("after find", spent=False),
    Step("before enhance", spent=False),
    Step("after enhance", spent=False),
    Step("before draw", spent=False),
    Step("after draw", spent=False),
    Step("before _answer", spent=False),
    Step("after _answer", spent=False),
    Step("after seal_answer", spent=False),
    Step("before rotate", spent=False),
    Step("after update token_families", spent=False),
    Step("after update refresh_tokens", spent=False),
    Step("after insert refresh_tokens", spent=False),
    Step("before do_commit", spent=False),
    Step("after do_commit", spent=True),
    Step("after rotate", spent=True),
    Step("before write_eof", spent=True),
    Step("after write_eof", spent=True),
]


def crash(deployment: Deployment, caller: Caller, token: str, step: str) -> bytes | None:
    """Refresh, die at ``step``, live again; the answer, where it left before the death."""
    deployment.arm(step)
    try:
        answer = caller.refresh(token).body
    except (ConnectionError, http.client.IncompleteRead):
        answer = None
    deployment.await_death_at(step)
    # An answer that leaves the process before its end may arrive; nothing may arrive from any earlier step.
    assert answer is None or step == "after write_eof"
    return answer


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_with_grace_a_killed_refresh_is_either_not_begun_or_answered_again(deployment: Deployment, step: Step) -> None:
    caller = deployment.patient
    first = caller.sign_in(USER, PASSWORD)
    token = first["refresh_token"]
    heard = crash(deployment, caller, token, step.name)

    left = deployment.family(selector(token))
    assert not left.ended
    assert left.tokens == (2 if step.spent else 1)
    assert len(left.living) == 1
    assert (left.living == [selector(token)]) is not step.spent
    assert caller.active(token) is not step.spent
    assert caller.active(first["access_token"])

    retry = caller.refresh(token)
    tokens = caller.granted(retry)
    assert heard in (None, retry.body)
    assert caller.refresh(token).body == retry.body
    assert caller.active(tokens["access_token"])
    assert caller.active(tokens["refresh_token"])
    assert deployment.family(selector(token)).living == [selector(tokens["refresh_token"])]

    successor = caller.granted(caller.refresh(tokens["refresh_token"]))["refresh_token"]
    after = deployment.family(selector(token))
    assert (after.ended, after.tokens, after.living) == (False, 3, [selector(successor)])


# What comes before the transaction does not differ by the grace.
WITHOUT_GRACE = STEPS[STEPS.index(Step("before rotate", spent=False)) :]


@pytest.mark.parametrize("step", WITHOUT_GRACE, ids=lambda step: step.name)
def test_without_grace_a_killed_refresh_leaves_one_living_token(deployment: Deployment, step: Step) -> None:
    caller = deployment.strict
    first = caller.sign_in(USER, PASSWORD)
    token = first["refresh_token"]
    crash(deployment, caller, token, step.name)

    left = deployment.family(selector(token))
    assert not left.ended
    assert len(left.living) == 1
    assert (left.living == [selector(token)]) is not step.spent
    # Neither is a token dead by the crash alone: it takes the replay below.
    assert caller.active(first["access_token"])

    again = caller.refresh(token)
    if not step.spent:
        successor = caller.granted(again)["refresh_token"]
        after = deployment.family(selector(token))
        assert (after.ended, after.tokens, after.living) == (False, 2, [selector(successor)])
        return
    assert (again.status, again.json["error"]) == (400, "invalid_grant")
    assert deployment.family(selector(token)).ended
    assert not caller.active(first["access_token"])


RETRY_STEPS = ["before find", "after find", "before _answer_spent", "after _answer_spent", "before write_eof"]


@pytest.mark.parametrize("step", RETRY_STEPS)
def test_a_retry_that_is_killed_can_be_retried(deployment: Deployment, step: str) -> None:
    caller = deployment.patient
    token = caller.sign_in(USER, PASSWORD)["refresh_token"]
    answer = caller.refresh(token).body
    crash(deployment, caller, token, step)
    assert caller.refresh(token).body == answer
    assert len(deployment.family(selector(token)).living) == 1


def test_the_death_of_one_refresh_does_not_touch_another_familys(deployment: Deployment) -> None:
    caller = deployment.patient
    mine, other = (caller.sign_in(USER, PASSWORD)["refresh_token"] for _ in range(2))
    crash(deployment, caller, mine, "before do_commit")
    assert caller.granted(caller.refresh(other))
    assert caller.granted(caller.refresh(mine))
