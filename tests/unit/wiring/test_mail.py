"""Who sends mail: an SMTP server where there is one, the log in development, nobody otherwise."""

import pytest
import structlog
from structlog.testing import CapturingLogger

from authcenter.core.job import JobName
from authcenter.core.mail import Letter, MailKind
from authcenter.stores.remote.smtp import SmtpMail
from authcenter.wiring.mail import mail_assignments
from authcenter.workers.mail import MailErrand
from authcenter.workers.mail_log import LoggedMail
from tests.workbench import Workbench, settings

PRODUCTION = {"ENV": "production", "ISSUER": "https://auth.example"}
SMTP = {"SMTP_URL": "smtp://mail.example", "MAIL_FROM": "mail@auth.example"}


@pytest.mark.parametrize(
    ("environ", "sender"),
    [
        pytest.param({}, LoggedMail, id="development without a server"),
        pytest.param(SMTP, SmtpMail, id="development with one"),
        pytest.param(PRODUCTION, None, id="production without a server"),
        pytest.param(PRODUCTION | SMTP, SmtpMail, id="production with one"),
    ],
)
def test_who_sends(bench: Workbench, environ: dict[str, str], sender: type[object] | None) -> None:
    log = structlog.wrap_logger(CapturingLogger(), processors=[])
    found = mail_assignments(bench.core, settings(**environ), log).get(JobName.MAIL)
    assert (found is None) == (sender is None)
    if found is not None and sender is not None:
        assert isinstance(found.errand, MailErrand)
        assert isinstance(found.errand.sending, sender)


async def test_a_development_server_writes_mail_to_its_log(bench: Workbench) -> None:
    logged = CapturingLogger()
    log = structlog.wrap_logger(logged, processors=[])
    assignment = mail_assignments(bench.core, bench.settings, log)[JobName.MAIL]
    letter = Letter(MailKind.CONFIRM_ADDRESS, "bob@example.com", "de", {"link": "/x?token=abc"})
    job = bench.core.letters.job(letter)
    assert "bob@example.com" not in str(job.payload)
    assert "?token=" not in str(job.payload)
    await assignment.errand.act(job.payload)
    (call,) = logged.calls
    assert call.kwargs["event"] == "mail"
    assert (call.kwargs["to"], call.kwargs["mail_id"]) == ("bob@example.com", job.job_id)
    assert "https://auth.example/x?token=abc" in call.kwargs["text"]
