"""Letters in the outbox: what is sealed into a job comes out of it, and of no other."""

from authcenter.accounts.letters import Letters
from authcenter.core.derived import SealingKeys
from authcenter.core.mail import Letter, MailKind

LETTERS = Letters(SealingKeys.derive([b"a root secret of thirty-two bytes"], "mail"))
LETTER = Letter(MailKind.RESET_PASSWORD, "alice@example.com", "de", {"link": "/password/reset?token=x"})


def test_a_letter_comes_out_of_its_job() -> None:
    assert LETTERS.open(LETTERS.job(LETTER).payload) == LETTER


def test_a_job_tells_nobody_whom_it_writes_to_or_what() -> None:
    job = LETTERS.job(LETTER)
    assert "alice" not in str(job)
    assert "token" not in str(job)


def test_a_letter_does_not_come_out_of_another_envelope() -> None:
    mine, other = LETTERS.job(LETTER), LETTERS.job(LETTER)
    assert LETTERS.open({**mine.payload, "letter": other.payload["letter"]}) is None


def test_a_letter_sealed_under_a_root_that_has_gone_does_not_open() -> None:
    others = Letters(SealingKeys.derive([b"another root secret, also 32 bytes"], "mail"))
    assert others.open(LETTERS.job(LETTER).payload) is None
