"""Consul's key-value store, through py-consul, which nothing else imports.

TLS as Consul's own command line has it: an https URL is checked against the system's authorities and ``CONSUL_CACERT``;
``CONSUL_CLIENT_CERT`` and ``CONSUL_CLIENT_KEY`` are shown where they are set. The token is ``AUTHCENTER_CONSUL_TOKEN``
and nothing else: a ``CONSUL_HTTP_TOKEN`` that happens to be in the environment is not used.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from authcenter.settings.boot_sources import unreadable
from authcenter.settings.errors import ConsulUnavailable, SettingsError

_ANSWER_SECONDS = 3.0
_FILES = ("CONSUL_CACERT", "CONSUL_CLIENT_CERT", "CONSUL_CLIENT_KEY")
_MOST_JITTER = 1 / 16
"""Consul lengthens a blocking query by up to this part of its wait."""


@dataclass(frozen=True, slots=True, repr=False)
class ConsulAddress:
    """Where Consul is, and what is shown to it. ``certificate``: of the client, with its private key."""

    scheme: str
    host: str
    port: int
    token: str = ""
    ca_file: str = ""
    certificate: tuple[str, str] | None = None

    @classmethod
    def of(cls, url: str, token: str, environ: Mapping[str, str]) -> Self:
        """From a checked URL and Consul's own variables for TLS. Raises ``SettingsError``."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        files = {name: environ.get(name, "") for name in _FILES}
        if problems := [f"{name}: cannot be read: {cause}" for name, cause in _unreadable(files)]:
            raise SettingsError(*problems)
        return cls(
            scheme=parts.scheme,
            host=f"[{host}]" if ":" in host else host,
            port=parts.port or (443 if parts.scheme == "https" else 80),
            token=token,
            ca_file=files["CONSUL_CACERT"],
            certificate=(files["CONSUL_CLIENT_CERT"], files["CONSUL_CLIENT_KEY"] or files["CONSUL_CLIENT_CERT"])
            if files["CONSUL_CLIENT_CERT"]
            else None,
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """A key with its value. ``index``: of its last change; what a compare-and-set compares."""

    key: str
    value: bytes
    index: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What Consul knows of one key. ``index`` is what to wait for a change after; going backwards, it means nothing."""

    index: int
    entry: Entry | None


class ConsulKv:
    """The few questions that are asked of Consul. Every failure, whatever it is, is ``ConsulUnavailable``.

    The client is made at the first question, because it belongs to the event loop that asks.
    """

    def __init__(self, address: ConsulAddress) -> None:
        self._address = address
        self._client: Any = None

    async def get(self, key: str, *, after: int | None = None, wait_seconds: float = 0) -> Answer:
        """One key.

        Args:
            after: Answer only once the key has changed since this index, or ``wait_seconds`` have passed.
        """
        # Both always: without a wait Consul takes five minutes, and without a limit a frozen one takes for ever.
        limit = _ANSWER_SECONDS + wait_seconds * (1 + _MOST_JITTER)
        wait = f"{wait_seconds:g}s" if after is not None else None
        index, found = await self._ask("kv", "get", key, index=after, wait=wait, connections_timeout=limit)
        return Answer(int(index), _entry(found) if found is not None else None)

    async def under(self, prefix: str) -> Sequence[Entry]:
        """All keys that begin with ``prefix``. None where a token is not allowed to see them, too."""
        _, found = await self._ask("kv", "get", prefix, recurse=True, connections_timeout=_ANSWER_SECONDS)
        return [_entry(each) for each in found or ()]

    async def put(self, key: str, value: str, *, over: int | None = None) -> bool:
        """Write; with ``over`` only where the key's index is still that one (0: where there is no such key)."""
        written = await self._ask("kv", "put", key, value.encode(), cas=over, connections_timeout=_ANSWER_SECONDS)
        return bool(written)

    async def delete(self, entry: Entry) -> bool:
        """Delete the key as it was read; False where it has changed since."""
        deleted = await self._ask("kv", "delete", entry.key, cas=entry.index, connections_timeout=_ANSWER_SECONDS)
        return bool(deleted)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _ask(self, endpoint: str, verb: str, *arguments: Any, **named: Any) -> Any:
        try:
            client = self._open()
            return await getattr(getattr(client, endpoint), verb)(*arguments, **named)
        except Exception as failure:
            # What py-consul lets through is a dozen kinds of its own, of aiohttp's and of ssl's.
            raise ConsulUnavailable(_hint(failure)) from failure

    def _open(self) -> Any:
        if self._client is None:
            self._client = _client(self._address)
        return self._client


def _client(address: ConsulAddress) -> Any:
    from consul.aio import Consul  # noqa: PLC0415 - costs megabytes; paid only by those who have a Consul

    with warnings.catch_warnings():
        # aiohttp's, for arguments that py-consul gives it.
        for argument in ("ssl_context", "verify_ssl"):
            warnings.filterwarnings("ignore", f"{argument} is deprecated", DeprecationWarning)
        client = Consul(
            address.host,
            address.port,
            scheme=address.scheme,
            # Said in so many words, as everything left out is taken from the environment.
            verify=address.ca_file or True,
            cert=address.certificate,
        )
    client.token = address.token or None
    return client


def _unreadable(files: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, file in files.items():
        if file and (cause := unreadable(Path(file))):
            yield name, f"{cause} ({file!a:.200})"


def _entry(found: Mapping[str, Any]) -> Entry:
    return Entry(found["Key"], found["Value"] or b"", int(found["ModifyIndex"]))


def _hint(failure: Exception) -> str:
    """One line. Its text comes from the network: cut, and made ASCII."""
    said = " ".join(str(failure).split())
    return f"{type(failure).__name__}{': ' + ascii(said)[1:-1][:200] if said else ''}"
