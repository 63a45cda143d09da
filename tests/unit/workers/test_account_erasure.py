"""Deleting an account: nothing of the person is left, nobody gets in, and the audit log still verifies."""

from typing import Any

import pytest

from authcenter.audit.chain import erased_rows, first_break
from authcenter.core.cut import CutKind
from authcenter.core.errors import NotFound
from authcenter.core.event import EventKind
from authcenter.core.job import JobName
from authcenter.core.mail import MailKind
from authcenter.core.rules import Rule
from authcenter.core.secret import Secret
from authcenter.wiring.jobs import assignments
from tests.authenticator import enrol
from tests.unit.http.mailbox import work
from tests.workbench import ISSUER, PASSWORD, Workbench, refused


async def deleted(bench: Workbench) -> str:
    subject = bench.alice.subject
    assert await bench.core.erasure.erase(subject, language="de")
    return subject


def jobs(bench: Workbench, name: JobName) -> list[Any]:
    return [row.job for row in bench.record.tables.outbox.values() if row.job.name == name]


async def test_the_account_is_nobodys_and_name_and_address_are_free(bench: Workbench) -> None:
    await bench.core.accounts.set_claims("alice", {"name": "Alice Doe"}, actor="tests")
    subject = await deleted(bench)
    for name in ("alice", "alice@example.com", subject):
        with pytest.raises(NotFound):
            await bench.core.accounts.get(name)
        with pytest.raises(NotFound):
            await bench.core.accounts.enable(name, actor="tests")
    assert await bench.core.accounts.list() == []
    left = bench.record.tables.users[subject]
    assert (left.password_hash, left.user.claims, left.user.roles) == ("", {}, frozenset())
    assert "alice" not in repr(left).lower()
    again = await bench.core.accounts.create("alice", "alice@example.com", Secret(PASSWORD), actor="tests")
    assert again.subject != subject


async def test_second_factors_go(bench: Workbench) -> None:
    await enrol(bench)
    alice = bench.alice
    assert await bench.core.second_factors.due(alice)
    await deleted(bench)
    assert not await bench.core.second_factors.due(alice)
    assert (bench.record.tables.totp_secrets, bench.record.tables.recovery_codes) == ({}, {})


async def test_nobody_gets_in_any_more_and_what_was_issued_is_dead(bench: Workbench) -> None:
    issued = await bench.issue()
    subject = await deleted(bench)
    for login in ("alice", "alice@example.com"):
        with refused(Rule.USER_UNKNOWN):
            await bench.issue(username=login)
    for password in (PASSWORD, ""):
        with refused(Rule.USER_PASSWORD_WRONG):
            await bench.core.accounts.authenticate(subject, password)
    await bench.follow()
    assert not await bench.active(issued.access)
    assert bench.ended(issued.refresh)
    with refused(Rule.REFRESH_FAMILY_ENDED):
        await bench.refresh(issued.refresh)


async def test_the_cut_lapses_after_the_last_token(bench: Workbench) -> None:
    subject = await deleted(bench)
    cut, _ = bench.record.tables.cuts[CutKind.SUBJECT, subject]
    assert cut.up_to is None
    assert cut.expires_at is not None
    assert cut.expires_at > bench.clock.now() + bench.core.erasure.longest_token


async def test_the_address_is_told_by_a_sealed_letter(bench: Workbench) -> None:
    await deleted(bench)
    (job,) = jobs(bench, JobName.MAIL)
    letter = bench.core.letters.open(job.payload)
    assert letter is not None
    assert (letter.kind, letter.to, letter.language) == (MailKind.ACCOUNT_DELETED, "alice@example.com", "de")
    assert letter.values == {"name": "alice"}
    assert "alice" not in repr(job)


async def test_the_log_says_that_not_whose(bench: Workbench) -> None:
    subject = await deleted(bench)
    assert bench.kinds() == [EventKind.USER_DELETED, EventKind.AUDIT_ERASED]
    rows = bench.record.tables.audit
    assert first_break(rows, bench.core.checkpoint_keys.proves) is None
    assert len(erased_rows(rows)) == 1, "that it was created"
    assert subject not in repr(rows)


async def test_a_second_time_nothing_happens(bench: Workbench) -> None:
    subject = await deleted(bench)
    before = bench.record.tables
    assert not await bench.core.erasure.erase(subject, language="en")
    assert not await bench.core.erasure.erase("usr_nobody", language="en")
    assert bench.record.tables == before


async def test_a_job_empties_what_is_too_much_for_one_transaction_or_came_after(bench: Workbench) -> None:
    for _ in range(1_203):
        await bench.core.accounts.set_claims("alice", {"name": "A"}, actor=bench.alice.subject)
    subject = await deleted(bench)
    rows = bench.record.tables.audit
    assert len(erased_rows(rows)) == 500
    job, _ = jobs(bench, JobName.ERASE_AUDIT)
    errand = assignments(bench.core, ISSUER)[JobName.ERASE_AUDIT].errand
    for _ in range(2):
        await errand.act(job.payload)
        rows = bench.record.tables.audit
        assert first_break(rows, bench.core.checkpoint_keys.proves) is None
        assert len(erased_rows(rows)) == 1_204
        assert subject not in repr(rows)
        assert bench.kinds().count(EventKind.AUDIT_ERASED) == 3


async def test_a_row_that_was_on_its_way_is_emptied_later(bench: Workbench) -> None:
    """What is issued is written after its answer, by way of the spool where the database takes long."""
    await bench.issue()
    subject = await deleted(bench)
    await work(bench)
    await bench.service.audit.flush()
    assert subject in repr(bench.record.tables.audit)
    bench.clock.advance(599)
    await work(bench)
    assert subject in repr(bench.record.tables.audit)
    bench.clock.advance(1)
    await work(bench)
    assert subject not in repr(bench.record.tables.audit)
    assert first_break(bench.record.tables.audit, bench.core.checkpoint_keys.proves) is None


async def test_a_job_about_somebody_who_lives_empties_nothing(bench: Workbench) -> None:
    assert await bench.core.erasure.erase_rest(bench.alice.subject) == 0
    assert erased_rows(bench.record.tables.audit) == []
