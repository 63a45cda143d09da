"""Notes of browsers that signed somebody in before."""

from dataclasses import replace

import pytest

from authcenter.accounts.known_browsers import LIFETIME, KnownBrowsers
from authcenter.core import base64url
from authcenter.core.derived import SealingKeys
from authcenter.core.user import User
from tests.integration.stores.samples import a_user
from tests.workbench import SetClock

ADA = a_user("Ada")


class Notes:
    """What a browser keeps."""

    def __init__(self, root: bytes = b"r" * 32) -> None:
        self.clock = SetClock()
        self.browsers = KnownBrowsers(SealingKeys.derive([root], "known browser"), self.clock)
        self.note: str | None = None

    def sign_in(self, user: User = ADA) -> None:
        self.note = self.browsers.remember(self.note, user)

    def device(self, login: str) -> str | None:
        return self.browsers.device(self.note, login)


@pytest.mark.parametrize("login", ["Ada", "ada", " ADA ", "ada@example.com"])
def test_a_browser_is_known_by_whatever_the_person_types(login: str) -> None:
    notes = Notes()
    assert notes.device(login) is None
    notes.sign_in()
    assert notes.device(login) == notes.device("Ada") is not None


@pytest.mark.parametrize("login", ["", "bob", "Ada2", "\0", "x" * 70_000, "\ud800"])
def test_it_is_nobody_elses(login: str) -> None:
    notes = Notes()
    notes.sign_in()
    assert notes.device(login) is None


def test_each_sign_in_begins_anew() -> None:
    notes = Notes()
    notes.sign_in()
    before = notes.device("ada")
    notes.sign_in()
    assert notes.device("ada") not in {before, None}


def test_several_people_may_share_a_browser_and_the_last_five_are_known() -> None:
    notes = Notes()
    for number in range(7):
        notes.sign_in(a_user(f"user{number}"))
    assert [notes.device(f"user{number}") is not None for number in range(7)] == [False] * 2 + [True] * 5
    assert len({notes.device(f"user{number}") for number in range(2, 7)}) == 5
    assert notes.note is not None
    assert len(notes.note) < 1024


def test_who_has_changed_their_name_is_known_by_the_new_one_alone() -> None:
    notes = Notes()
    notes.sign_in()
    notes.sign_in(replace(ADA, username="Lovelace"))
    assert notes.device("ada") is None
    assert notes.device("lovelace") == notes.device("ada@example.com") is not None


def test_a_note_lapses() -> None:
    notes = Notes()
    notes.sign_in()
    notes.clock.advance(LIFETIME.total_seconds())
    assert notes.device("ada") is None


@pytest.mark.parametrize("forged", ["", "x", "\xff", "A" * 4000, base64url.encode(b"\x00" * 64)])
def test_what_is_no_note_of_ours_says_nothing(forged: str) -> None:
    notes = Notes()
    assert notes.browsers.device(forged, "ada") is None
    notes.note = forged
    notes.sign_in()
    assert notes.device("ada") is not None


def test_another_deployments_note_says_nothing() -> None:
    theirs, ours = Notes(b"t" * 32), Notes()
    theirs.sign_in()
    ours.note = theirs.note
    assert ours.device("ada") is None


def test_a_note_names_nobody_to_who_reads_it() -> None:
    notes = Notes()
    notes.sign_in()
    assert notes.note is not None
    assert b"ada" not in base64url.decode(notes.note).lower()
