"""``authcenter keys plan``, ``pause`` and ``rollback``."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.cli.console import Console

DAY = timedelta(days=1)


def ahead(step: dict[str, Any]) -> timedelta:
    return datetime.fromisoformat(step["at"]) - datetime.now(UTC)


def states(console: Console) -> dict[str, str]:
    return {key["kid"]: key["state"] for key in console.told("keys", "list")}


def test_the_plan_tells_what_will_happen_when(console: Console) -> None:
    kid, other = (console.told("keys", "rotate", "--alg", alg)["kid"] for alg in ("ES256", "EdDSA"))
    plan = console.told("keys", "plan")
    told = {name: plan[name] for name in ("rotate_every", "publish_before_use", "in_use")}
    assert told == {"rotate_every": 7_776_000, "publish_before_use": 1200, "in_use": ["ES256", "EdDSA"]}
    assert not plan["paused"]
    steps = [(step["alg"], step["act"], step["kid"]) for step in plan["steps"]]
    for alg, before in (("ES256", kid), ("EdDSA", other)):
        mine = [step for step in steps if step[0] == alg]
        assert mine == [(alg, "publish", None), (alg, "sign", None), (alg, "retire", before), (alg, "drop", before)]
    (signs, *_) = [step for step in plan["steps"] if step["act"] == "sign"]
    assert abs(ahead(signs) - 90 * DAY) < timedelta(minutes=1)
    in_words = console.run("keys", "plan").out
    assert in_words.startswith("Keys of ES256, EdDSA are replaced every 7776000 s.\n")
    assert f"{kid} verifies only" in " ".join(in_words.split())
    assert console.events() == ["key.created", "key.created"]


def test_the_plan_of_rotation_by_hand(console: Console) -> None:
    old, new = console.told("keys", "rotate")["kid"], console.told("keys", "rotate")["kid"]
    console.policy.write_text("keys: {rotate_every: 0}")
    plan = console.told("keys", "plan")
    assert [(step["act"], step["kid"]) for step in plan["steps"]] == [("sign", new), ("retire", old), ("drop", old)]
    assert console.run("keys", "plan").out.startswith("Keys are rotated by hand")


def test_the_plan_of_nothing(console: Console) -> None:
    assert [step["act"] for step in console.told("keys", "plan")["steps"]] == ["publish", "sign"]


def test_rotation_is_paused_and_goes_on(console: Console) -> None:
    console.told("keys", "rotate")
    assert console.told("keys", "pause")["paused"]
    plan = console.told("keys", "plan")
    assert (plan["paused"], plan["until"], plan["steps"]) == (True, None, [])
    assert "paused by cli:" in console.run("keys", "plan").out

    until = (datetime.now(UTC) + 400 * DAY).replace(microsecond=0)
    told = console.told("keys", "pause", "--until", until.isoformat())
    assert datetime.fromisoformat(told["until"]) == until
    assert datetime.fromisoformat(console.told("keys", "plan")["steps"][0]["at"]) == until

    resumed = console.told("keys", "pause", "--resume")
    assert resumed == {"paused": False, "since": None, "until": None, "by": None}
    assert not console.told("keys", "plan")["paused"]
    assert "not paused" in console.refused("keys", "pause", "--resume", exit_code=1)
    assert console.events()[1:] == ["key.rotation_paused", "key.rotation_paused", "key.rotation_resumed"]


def test_a_rotation_by_hand_is_done_though_paused(console: Console) -> None:
    console.told("keys", "rotate")
    console.told("keys", "pause")
    assert console.told("keys", "rotate")["state"] == "next"


def test_the_newest_key_is_taken_back(console: Console) -> None:
    old, new = console.told("keys", "rotate")["kid"], console.told("keys", "rotate", "--now")["kid"]
    told = console.told("keys", "rollback")
    assert (told["signs"]["kid"], told["signs"]["state"]) == (old, "current")
    assert (told["taken_back"]["kid"], told["taken_back"]["state"]) == (new, "retired")
    assert states(console) == {old: "current", new: "retired"}
    assert "no key before" in console.refused("keys", "rollback", exit_code=1)
    assert console.events()[-1] == "key.rolled_back"


def test_there_is_nothing_to_go_back_to(console: Console) -> None:
    assert "no key of RS256" in console.refused("keys", "rollback", "--alg", "RS256", exit_code=1)
    leaked = console.told("keys", "rotate")["kid"]
    console.told("keys", "revoke", leaked, "--yes")
    assert f"{leaked}, which signed before" in console.refused("keys", "rollback", exit_code=1)


@pytest.mark.parametrize(
    "arguments",
    [
        ["pause", "--until", "tomorrow"],
        ["pause", "--until", "2040-01-01T00:00:00"],
        ["pause", "--until", "9999-12-31T23:59:59-12:00"],
        ["pause", "--until", "2020-01-01T00:00:00Z"],
        ["pause", "--until", "2040-01-01T00:00:00Z", "--resume"],
        ["rollback", "--alg", "none"],
        ["plan", "x"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_refused(console: Console, arguments: list[str]) -> None:
    console.refused("keys", *arguments, exit_code=2)
    assert console.events() == []
