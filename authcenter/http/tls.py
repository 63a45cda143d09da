"""TLS on the public listener (RFC 9325): 1.2 with ECDHE and GCM or ChaCha20, and 1.3."""

import asyncio
import ssl
from pathlib import Path

from authcenter.telemetry.logs import Logger

_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
_SECONDS_BETWEEN_LOOKS = 1.0


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Raises ``ssl.SSLError``, ``OSError`` where the pair does not load."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    context.load_cert_chain(certificate, key)
    return context


async def reload_on_change(context: ssl.SSLContext, certificate: Path, key: Path, log: Logger) -> None:
    """Load the pair anew whenever a file changes; new handshakes use it. A pair that does not load changes nothing."""
    loaded = await asyncio.to_thread(_state, certificate, key)
    while True:
        await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
        state = await asyncio.to_thread(_state, certificate, key)
        if state == loaded:
            continue
        loaded = state
        try:
            # Tried on a context of its own first: a certificate without its key would break the live one.
            server_context(certificate, key)
            context.load_cert_chain(certificate, key)
        except (ssl.SSLError, OSError) as problem:
            log.warning("tls_reload_failed", problem=str(problem))
        else:
            log.info("tls_reloaded", certificate=str(certificate))


def _state(*files: Path) -> list[tuple[int, int]]:
    return [_stamp(file) for file in files]


def _stamp(file: Path) -> tuple[int, int]:
    try:
        stat = file.stat()
    except OSError:
        return (0, 0)
    return (stat.st_mtime_ns, stat.st_ino)
