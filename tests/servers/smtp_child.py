"""The mail server of tests, as a process of its own: aiosmtpd, which keeps each mail as a file and behaves as told.

Run by ``SmtpServer``: ``python -m tests.servers.smtp_child DIRECTORY PORT [--tls CERTIFICATE KEY]
[--implicit] [--login NAME:WORD]``.
"""

import argparse
import asyncio
import itertools
import json
import os
import ssl
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

_POLL_SECONDS = 0.02
_READY = ".ready"


class Mailbox:
    """Keeps mails as files of ``directory/mails``; its mood is the first word of the file ``directory/mood``."""

    def __init__(self, directory: Path) -> None:
        self._mails, self._mood = directory / "mails", directory / "mood"
        self._stalling = directory / "stalling"
        self._number = itertools.count()

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return await self._answer("mail", server) or "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refusal = await self._answer("rcpt", server)
        if refusal is None:
            envelope.rcpt_tos.append(address)
        return refusal or "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        refusal = await self._answer("data", server)
        if refusal is None:
            self._keep(server, session, envelope)
        return refusal or await self._answer("kept", server) or "250 OK"

    def _keep(self, server: SMTP, session: Session, envelope: Envelope) -> None:
        mail = {
            "sender": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "content": bytes(envelope.original_content or b"").decode("utf-8", "surrogateescape"),
            "tls": server.transport.get_extra_info("sslcontext") is not None,
            "login": getattr(session.auth_data, "login", b"").decode() if session.auth_data else "",
        }
        name = f"{os.getpid()}-{next(self._number):06}"
        # Whole or not at all: whoever looks meanwhile, or after this process was killed, reads no half of it.
        half = self._mails / f".{name}"
        half.write_text(json.dumps(mail))
        half.rename(self._mails / f"{name}.json")

    async def _answer(self, step: str, server: SMTP) -> str | None:
        """What the mood says of this step, else None. A stall lasts until the mood is another."""
        while (mood := self._mood.read_text().split(" ", 1))[0] == step:
            if mood[1] == "close":
                server.transport.abort()
                return "421 closing"
            if mood[1] != "stall":
                return mood[1]
            self._stalling.touch()
            await asyncio.sleep(_POLL_SECONDS)
        return None


async def _serve(arguments: argparse.Namespace) -> None:
    loop, context = asyncio.get_running_loop(), None
    if arguments.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*arguments.tls)
    mailbox = Mailbox(arguments.directory)

    def authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        known = isinstance(data, LoginPassword) and f"{data.login.decode()}:{data.password.decode()}" == arguments.login
        return AuthResult(success=known, handled=False, auth_data=data)

    def protocol() -> SMTP:
        return SMTP(
            mailbox,
            hostname="mail.test",
            enable_SMTPUTF8=True,
            tls_context=None if arguments.implicit else context,
            authenticator=authenticate if arguments.login else None,
            auth_required=bool(arguments.login),
            auth_require_tls=False,
            loop=loop,
        )

    tls = context if arguments.implicit else None
    server = await loop.create_server(protocol, "127.0.0.1", arguments.port, ssl=tls, backlog=1024)
    (arguments.directory / _READY).write_text(str(os.getpid()))
    async with server:
        await server.serve_forever()


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("--tls", nargs=2, metavar=("CERTIFICATE", "KEY"), default=None)
    parser.add_argument("--implicit", action="store_true")
    parser.add_argument("--login", default="")
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(_serve(_read_arguments()))
