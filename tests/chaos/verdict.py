"""What must hold of all that the callers were told, whatever died meanwhile."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from typing import Any

from tests.chaos.caller import Caller, claims
from tests.chaos.deployment import selector
from tests.chaos.fleet import DEPENDENCIES, Fleet, gone_with
from tests.chaos.notes import Note, Told
from tests.integration.service.api import until

LATEST_SECONDS = 2.0
MOST_LINES = 20
_AT_ONCE = 6
_DOWN, _UP = "dependency_down", "dependency_up"


def require_right(told: Told) -> None:
    """Every answer is 200, and says the truth, or 503 with a time to try again; none comes too late."""
    assert not [note for note in told.notes if note.wrong]
    refused = [note for note in told.notes if note.status == 503]
    assert not [note for note in refused if not (note.retry_after.isdigit() and int(note.retry_after) > 0)]
    assert not [note for note in told.notes if note.late_by > LATEST_SECONDS], slowest(told.notes)


def slowest(notes: Iterable[Note]) -> list[Note]:
    return sorted(notes, key=lambda note: note.late_by)[-5:]


def require_kept(fleet: Fleet, told: Told) -> None:
    """Every acknowledged revocation is known to every instance; every acknowledged rotation, and no other, is on
    record; nothing else was revoked."""
    assert told.revoked
    everywhere(fleet, lambda caller, token: not caller.active(token), told.revoked, "a revoked token is refused")
    everywhere(fleet, Caller.active, [*told.living[:3], *told.living[-3:]], "other tokens are accepted")
    assert any(chain.rotations for chain in told.chains)
    for chain in told.chains:
        newest = chain.tokens["refresh_token"]
        family = fleet.record.family(selector(newest))
        # A rotation whose answer was lost is one that its retry was told of.
        assert (family.ended, family.tokens, family.living) == (False, 1 + chain.rotations, [selector(newest)])
    held = [chain.tokens[name] for chain in told.chains for name in ("refresh_token", "access_token")]
    everywhere(fleet, Caller.active, [*held, told.resting], "what callers hold is accepted")
    audit = fleet.record.audit()
    recorded = {row.context for row in audit if row.event == "token.revoked"}
    jtis = {claims(token)["jti"] for token in told.revoked}
    assert not [jti for jti in jtis if not any(jti in context for context in recorded)]


def everywhere(fleet: Fleet, holds: Callable[[Caller, str], bool], tokens: Iterable[str], what: str) -> None:
    """Wait until it holds of each token on each instance."""
    left = list(product(fleet.callers, tokens))
    with ThreadPoolExecutor(_AT_ONCE) as threads:

        def none_left() -> bool:
            verdicts = list(threads.map(lambda pair: holds(*pair), left))
            left[:] = [pair for pair, held in zip(left, verdicts, strict=True) if not held]
            return not left

        until(none_left, f"{what}, everywhere")


@dataclass(frozen=True, slots=True)
class Marks:
    """Where the log of each instance stood: before an outage, and when what was gone was let come back."""

    before: Sequence[int]
    returning: Sequence[int]


def require_told_once(fleet: Fleet, marks: Marks, gone: str) -> None:
    """Each instance's log tells of the outage and of its end, once each, and of little else."""
    for one, before, returning in zip(fleet.instances, marks.before, marks.returning, strict=True):
        lines = one.log_lines(before)
        assert len(lines) <= MOST_LINES, lines
        assert not [line for line in lines if line["event"] == "background_work_failed"], lines
        meanwhile = _transitions(one.log_lines(before, returning), gone)
        after = _transitions(one.log_lines(returning), gone)
        told = {name: _transitions(lines, name) for name in DEPENDENCIES}
        assert told[gone] == [*meanwhile, *after]
        for name in DEPENDENCIES:
            # A Redis that is busy for longer than a tenth of a second is gone for that long, and that is told as well;
            # what is told twice is a fault.
            times = len(told[name]) // 2 if name == "redis" else int(name in gone_with(gone))
            assert told[name] == [_DOWN, _UP] * times, lines
        assert meanwhile[-1:] == [_DOWN]
        assert after[:1] == [_UP]
        assert all(line["hint"] for line in lines if line["event"] == _DOWN), lines


def _transitions(lines: Iterable[dict[str, Any]], dependency: str) -> list[str]:
    return [line["event"] for line in lines if line["event"] in (_DOWN, _UP) and line["dependency"] == dependency]
