"""How the supervisor goes on where workers cannot be started."""

from authcenter.serving.supervisor import pause_after


def test_workers_that_die_at_once_are_started_later_and_later_for_ever() -> None:
    assert [pause_after(failures) for failures in (1, 2, 3)] == [0.2, 0.4, 0.8]
    assert [pause_after(failures) for failures in (7, 100, 100_000)] == [10.0] * 3
