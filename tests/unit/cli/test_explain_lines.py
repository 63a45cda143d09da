"""The story on a terminal: whole, and without a line or a colour of a stranger's making."""

from dataclasses import replace

import pytest

from authcenter.audit.story import CheckTold, Story
from authcenter.cli.explain import lines

EVIL = "\x1b[2J\x1b[31mGRANTED\nGRANTED by nobody\r\u202e\x9b"
STORY = Story(
    request_id="0192-0",
    at="2030-01-01T12:00:00.123456+00:00",
    method="POST",
    route="/oauth/token",
    status=400,
    client_id="app",
    ip="192.0.2.1",
    user_agent="tests",
    rule="pkce_mismatch",
    hint="expected a, got b",
    cause="The verifier is another's.",
    remedy="Send the right one.",
    checks=[
        CheckTold("client_authentication", True, {"client_id": "app", "method": "none"}),
        CheckTold("pkce", False, {"expected": "a", "came": None, "late_seconds": 5}),
    ],
    evidence=["It is another sign-in's."],
    events=["code.replayed: reason code used twice"],
)


def test_a_refusal_is_told_in_full() -> None:
    assert "\n".join(lines(STORY)).splitlines() == [
        "2030-01-01T12:00:00.123Z  POST /oauth/token → 400",
        "client app  from 192.0.2.1  request 0192-0",
        "",
        "  ✓ client_authentication    client_id=app  method=none",
        "  ✗ pkce                     expected=a  came=-  late_seconds=5",
        "",
        "REFUSED by pkce_mismatch: expected a, got b",
        "Cause:  The verifier is another's.",
        "        It is another sign-in's.",
        "Remedy: Send the right one.",
        "Audit:  code.replayed: reason code used twice",
    ]


def test_what_was_granted_is_told_too() -> None:
    granted = replace(STORY, rule="", hint="", status=200, checks=STORY.checks[:1], evidence=[], events=[])
    assert list(lines(granted))[-1] == "GRANTED"
    assert "REFUSED" not in "\n".join(lines(granted))


@pytest.mark.parametrize(("rule", "said"), [("", "granted"), ("code_replayed", "refused")])
def test_a_story_from_the_log_alone_has_no_route(rule: str, said: str) -> None:
    first = next(lines(replace(STORY, rule=rule, route="", method="", status=0)))
    assert first.endswith(f"a request that was {said}")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"hint": EVIL}, id="hint"),
        pytest.param({"client_id": EVIL}, id="client"),
        pytest.param({"ip": EVIL}, id="address"),
        pytest.param({"request_id": EVIL}, id="request id"),
        pytest.param({"evidence": [EVIL]}, id="evidence"),
        pytest.param({"events": [EVIL]}, id="event"),
        pytest.param({"method": EVIL}, id="method"),
        pytest.param({"checks": [CheckTold("pkce", False, {"came": EVIL})]}, id="fact"),
        pytest.param({"checks": [CheckTold("pkce", False, {EVIL: "x"})]}, id="name of a fact"),
        pytest.param({"checks": [CheckTold(EVIL, False, {})]}, id="name of a check"),
    ],
)
def test_what_strangers_sent_writes_no_line_and_no_colour(changes: dict[str, object]) -> None:
    plain, told = list(lines(STORY)), list(lines(replace(STORY, **changes)))  # type: ignore[arg-type]
    assert len(told) <= len(plain)
    assert all(line.isprintable() for line in told)
    assert "GRANTED" not in told
