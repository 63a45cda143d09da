"""The log of the whole test run, searched for every secret and token that was used in it.

What is used is noted where it passes: settings and output of commands, requests and answers of the HTTP clients that
tests use. Logs are noted by whoever starts a service, and searched once, when all services have ended, so that nothing
depends on how fast anybody writes.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

_LEAST = 12
"""Shorter values may be words of their own in a log."""

_ISSUED = (
    "access_token",
    "refresh_token",
    "id_token",
    "client_secret",
    "registration_access_token",
    "device_code",
    "code",
    "request_uri",
)
_SENT = ("client_secret", "password", "new_password", "current_password", "code_verifier")
_CODE = "acc_"
_BY_DESIGN = (b'"event":"mail"',)
"""A development server without SMTP shows its mails, links included."""

_RUN = re.compile(rb"[A-Za-z0-9_-]{%d,}" % _LEAST)
_ESCAPE = re.compile(rb"\\(?:u[0-9a-fA-F]{4}|.)")
_LOGIN = re.compile(r"://[^/@\s:]*:([^/@\s]+)@")


def _pattern(names: Iterable[str]) -> re.Pattern[str]:
    alternatives = "|".join(names)
    return re.compile(rf'(?:(?<=[?&#\s])|^|"|\b)({alternatives})(?:"\s*:\s*"([^"\\]+)"|=([^&\s"<>;]+))')


_IN_ANSWERS, _IN_REQUESTS = _pattern(_ISSUED), _pattern(_SENT)


@dataclass(slots=True)
class LogSearch:
    """What was used, and where it must not be.

    Attributes:
        needles: Of each secret the longest part that a log can only show as a whole.
        phrases: Secrets that have no such part, passwords made of words.
        logs: Files of services.
        texts: Log lines that were kept in memory.
    """

    needles: set[bytes] = field(default_factory=set)
    phrases: set[bytes] = field(default_factory=set)
    logs: set[Path] = field(default_factory=set)
    texts: list[StringIO | Sequence[Any]] = field(default_factory=list)

    def note(self, *secrets: str | None) -> None:
        """Secrets that were used; what is too short to be told from a word is not searched for."""
        for secret in secrets:
            if not secret or len(secret) < _LEAST:
                continue
            raw = secret.encode(errors="replace")
            # The end of a JWT or of a refresh token is what proves; its beginning may be that of many.
            runs = _RUN.findall(raw.rpartition(b".")[2]) or _RUN.findall(raw)
            if runs:
                self.needles.add(max(runs, key=len))
            else:
                self.phrases.add(raw)

    def note_environment(self, environment: Mapping[str, str]) -> None:
        """The settings of a service."""
        for name in ("AUTHCENTER_SECRET_KEY", "AUTHCENTER_KEY_PASSPHRASE", "AUTHCENTER_CONSUL_TOKEN"):
            self.note(*environment.get(name, "").split(","))
        for name in ("AUTHCENTER_DATABASE_URL", "AUTHCENTER_REDIS_URL", "AUTHCENTER_SMTP_URL"):
            self.note(*_LOGIN.findall(environment.get(name, "")))

    def note_answer(self, text: str) -> None:
        """What a service or a command gave out: JSON, a header, a page."""
        self.note(*_values(_IN_ANSWERS, text))

    def note_request(self, text: str) -> None:
        """What was sent: a form, or JSON."""
        self.note(*_values(_IN_REQUESTS, text))

    def watch(self, command: Sequence[object], environment: Mapping[str, str] | None, log: Path) -> None:
        """A process that begins; it counts where it is the service. With ``--demo`` it shows its secrets by design."""
        words = [str(word) for word in command]
        if "authcenter" in words and "--demo" not in words:
            self.logs.add(log)
            self.note_environment(environment or {})

    def found(self) -> list[str]:
        """Where something is said that must not be; what, only by its beginning."""
        return [*self._in_files(), *self._in_texts()]

    def _in_files(self) -> Iterator[str]:
        for log in sorted(self.logs):
            if not log.exists():
                continue
            with log.open("rb") as lines:
                for number, line in enumerate(lines, 1):
                    yield from (f"{log}:{number}: {said}" for said in self._said(line))

    def _in_texts(self) -> Iterator[str]:
        for text in self.texts:
            said = text.getvalue() if isinstance(text, StringIO) else "\n".join(map(str, text))
            for line in said.splitlines():
                yield from (f"in memory: {line[:200]}: {said}" for said in self._said(line.encode()))

    def _said(self, line: bytes) -> Iterator[str]:
        if any(allowed in line for allowed in _BY_DESIGN):
            return
        # An escape before a secret would look like a part of it.
        plain = _ESCAPE.sub(b" ", line) if b"\\" in line else line
        for run in _RUN.findall(plain):
            if run in self.needles:
                yield f"{run[:6].decode()}… of {len(run)} characters"
        for phrase in self.phrases:
            if phrase in line:
                yield f"{phrase[:4].decode(errors='replace')}… of {len(phrase)} bytes"


THIS_RUN = LogSearch()
"""Of this process: under pytest-xdist each has its own services, and nobody else's secrets."""


def _values(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    for name, quoted, plain in pattern.findall(text):
        value = quoted or unquote_plus(plain)
        # Problem documents have a member of that name, too.
        if name != "code" or value.startswith(_CODE):
            yield value


def as_text(body: object) -> str:
    """A request's body as far as it can be read: text, bytes, or what a client makes a form or JSON of."""
    if isinstance(body, bytes | bytearray):
        return bytes(body).decode(errors="replace")
    if isinstance(body, str):
        return body
    if isinstance(body, Mapping | list | tuple):
        pairs = body.items() if isinstance(body, Mapping) else body
        try:
            return json.dumps({str(name): str(value) for name, value in pairs}, ensure_ascii=False)
        except (TypeError, ValueError):
            return ""
    return ""
