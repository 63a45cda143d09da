"""A mail server of the test's own, which keeps what it takes, and refuses, stalls or breaks off when told to."""

import email
import email.policy
import json
import re
import sys
import time
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from tests.servers.certificates import Pair
from tests.servers.child_process import ChildProcess
from tests.servers.ports import free_port
from tests.servers.server import Server

_PROJECT = Path(__file__).parents[2]
_HANG_SECONDS = 120
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class ReceivedMail:
    """A mail that the server has taken.

    Attributes:
        sender: Of the envelope, as ``to``.
        tls: Whether it came encrypted.
        login: Who had signed in to send it; empty: nobody.
    """

    sender: str
    to: tuple[str, ...]
    message: EmailMessage
    tls: bool
    login: str

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def html(self) -> str:
        return self._part("html")

    @property
    def link(self) -> str:
        """The first link of the text. A mail without one fails the test."""
        found = re.search(r"https?://\S+", self.text)
        assert found, self.text
        return found[0]

    def _part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        assert part is not None, f"no {kind} part"
        return str(part.get_content())


class SmtpServer(Server):
    """Keeps its port and its mails over restarts."""

    def __init__(
        self, directory: Path, *, tls: Pair | None = None, implicit_tls: bool = False, login: str = ""
    ) -> None:
        """Args:
        directory: For its mails and log; made when absent.
        tls: Its certificate; given, STARTTLS is offered, or with ``implicit_tls`` spoken from the start.
        login: ``name:password`` that it asks for; empty: it takes mail from anybody.
        """
        self.port = free_port()
        self._login, self._scheme = login, "smtps" if implicit_tls else "smtp"
        self._directory = directory
        self._mails = directory / "mails"
        self._stalling = directory / "stalling"
        self._mails.mkdir(parents=True, exist_ok=True)
        self.behave("well")
        command = [sys.executable, "-m", "tests.servers.smtp_child", str(directory), str(self.port)]
        command += ["--tls", str(tls.certificate), str(tls.key)] if tls else []
        command += ["--implicit"] if implicit_tls else []
        command += ["--login", login] if login else []
        self.child = ChildProcess(
            name="smtp",
            command=command,
            log=directory / "smtp.log",
            environment={"PYTHONPATH": str(_PROJECT)},
            directory=directory,
        )

    @property
    def url(self) -> str:
        """For ``AUTHCENTER_SMTP_URL``."""
        return f"{self._scheme}://{self._login + '@' if self._login else ''}127.0.0.1:{self.port}"

    def answers(self) -> bool:
        ready = self._directory / ".ready"
        return ready.exists() and ready.read_text() == str(self.child.pid)

    def stop(self) -> int:
        # It has nothing to finish: what it took is on the disk.
        self.kill()
        return 0

    def behave(self, mood: str) -> None:
        """From now on: ``well``; or at ``mail``, ``rcpt``, ``data`` (before the mail is kept) or ``kept`` (after that,
        before the sender is told) one of ``stall``, ``close``, or the line to answer.

        For example ``rcpt 550 No such user``, ``data 451 Later``, ``kept stall``. Who is stalled goes on when the mood
        changes.
        """
        self._stalling.unlink(missing_ok=True)
        half = self._directory / ".mood"
        half.write_text(mood)
        half.rename(self._directory / "mood")

    @property
    def stalling(self) -> bool:
        """Whether it has kept somebody waiting since its mood changed."""
        return self._stalling.exists()

    def mails(self, to: str | None = None) -> list[ReceivedMail]:
        """What has come so far, the oldest first; to one address, or all."""
        found = sorted(self._mails.glob("*.json"), key=lambda path: (path.stat().st_mtime_ns, path.name))
        received = [_received(path.read_text()) for path in found]
        return [mail for mail in received if to is None or to in mail.to]

    def await_mails(self, count: int = 1, to: str | None = None) -> list[ReceivedMail]:
        """Wait until there are at least so many."""
        deadline = time.monotonic() + _HANG_SECONDS
        while len(mails := self.mails(to)) < count:
            assert time.monotonic() < deadline, f"{len(mails)} mails of {count} in {_HANG_SECONDS} s"
            time.sleep(_POLL_SECONDS)
        return mails


def _received(kept: str) -> ReceivedMail:
    mail = json.loads(kept)
    content = mail["content"].encode("utf-8", "surrogateescape")
    message = email.message_from_bytes(content, policy=email.policy.default)
    return ReceivedMail(mail["sender"], tuple(mail["to"]), message, mail["tls"], mail["login"])
