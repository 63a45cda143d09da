"""Password hashing: argon2id (RFC 9106) in a bounded pool of threads; bcrypt verified, never made.

A password is hashed as the UTF-8 of its NFC form, so that what one machine composes and another decomposes is the same
password (NIST SP 800-63B §5.1.1.2). Hashes made elsewhere are verified so too, hence must have been made of NFC, which
is what keyboards give: a second try with the raw bytes would double the time that an unlucky guess takes.
"""

import asyncio
import os
import secrets
import unicodedata
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import TypeVar

import bcrypt
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from authcenter.accounts.hash_formats import BCRYPT_MAX_BYTES, is_bcrypt, is_supported_hash
from authcenter.core.errors import InvalidInput, Overloaded
from authcenter.core.secret import Secret

MIN_PASSWORD_CHARACTERS = 8
MAX_PASSWORD_CHARACTERS = 1024

_MOST_WORKERS = 4
_WAITING_PER_WORKER = 8

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Argon2Cost:
    """What one hash costs; OWASP's first choice by default."""

    memory_kib: int = 19 * 1024
    passes: int = 2
    lanes: int = 1


class PasswordHashing:
    """Hashes and verifies passwords, at most ``workers`` at a time, with ``queue`` more waiting.

    Every verification costs a whole hash, also where it cannot succeed, so that the time it takes does not tell why it
    failed.
    """

    def __init__(self, cost: Argon2Cost | None = None, *, workers: int | None = None, queue: int | None = None) -> None:
        """Threads start with the first password.

        Args:
            workers: None: one for each processor, at most 4.
            queue: Places to wait in; None: 8 for each worker.
        """
        cost = cost or Argon2Cost()
        workers = min(_MOST_WORKERS, os.cpu_count() or 1) if workers is None else workers
        queue = _WAITING_PER_WORKER * workers if queue is None else queue
        self._hasher = PasswordHasher(cost.passes, cost.memory_kib, cost.lanes)
        self._dummy = _hash_of_nothing(cost)
        self._threads = ThreadPoolExecutor(workers, "passwords")
        self._places = BoundedSemaphore(workers + queue)

    async def hash(self, password: str) -> str:
        """A new hash. Whether the password is good enough is ``check_new_password``'s business.

        Raises:
            InvalidInput: Too long, or not text.
            Overloaded: All places are taken.
        """
        data = _bytes(password)
        if data is None:
            raise InvalidInput(f"password: over {MAX_PASSWORD_CHARACTERS} characters, or not Unicode text")
        return await self._run(lambda: self._hasher.hash(data))

    async def verify(self, password: str, stored: str) -> bool:
        """Whether ``stored`` was made of ``password``.

        False too where that cannot be: a hash in no form we support, a password over 1,024 characters, and with bcrypt
        one that it would not read to the end (over 72 bytes, or with a NUL).

        Raises:
            Overloaded: All places are taken.
        """
        data = _bytes(password)
        return await self._run(lambda: self._matches(data, stored))

    async def dummy_verify(self) -> None:
        """Spend what ``verify`` spends, where there is no hash to verify.

        Raises:
            Overloaded: All places are taken.
        """
        await self._run(lambda: self._matches(None, self._dummy))

    def needs_upgrade(self, stored: str) -> bool:
        """Whether ``stored`` is bcrypt, or argon2 at any other cost than ours.

        A dearer hash is replaced as well: accounts that take longer than the dummy can be told from none.
        """
        return is_bcrypt(stored) or self._hasher.check_needs_rehash(stored)

    async def work(self, act: Callable[[], _T]) -> _T:
        """Do something else about a password in a place of the pool, since it takes a processor as a hash does.

        Raises:
            Overloaded: All places are taken.
        """
        return await self._run(act)

    def close(self) -> None:
        """Wait for the hashes under way, drop those that wait, take no more."""
        self._threads.shutdown(cancel_futures=True)

    def _matches(self, data: bytes | None, stored: str) -> bool:
        if data is None or not is_supported_hash(stored):
            self._argon2(self._dummy, b"")
            return False
        if not is_bcrypt(stored):
            return self._argon2(stored, data)
        if len(data) > BCRYPT_MAX_BYTES or b"\0" in data:
            self._argon2(self._dummy, b"")
            return False
        return bcrypt.checkpw(data, stored.encode("ascii"))

    def _argon2(self, stored: str, data: bytes) -> bool:
        try:
            return self._hasher.verify(stored, data)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], _T]) -> _T:
        if not self._places.acquire(blocking=False):
            raise Overloaded("every place of the password pool is taken")
        try:
            job = self._threads.submit(work)
        except RuntimeError as problem:
            self._places.release()
            raise Overloaded(f"the password pool takes no work: {problem}") from problem
        # By the job, not by its waiter: a waiter that goes away frees no thread that is still at work.
        job.add_done_callback(self._free)
        return await asyncio.wrap_future(job)

    def _free(self, _: "Future[_T]") -> None:
        self._places.release()


def check_new_password(password: Secret) -> None:
    """See that a password may be set (NIST SP 800-63B §5.1.1.2: length, no composition rules).

    Raises:
        InvalidInput: It is shorter than 8 or longer than 1,024 characters, has a NUL, or is not Unicode text.
    """
    text = password.reveal()
    data = _bytes(text)
    if data is None:
        raise InvalidInput(f"password: over {MAX_PASSWORD_CHARACTERS} characters, or not Unicode text")
    if len(unicodedata.normalize("NFC", text)) < MIN_PASSWORD_CHARACTERS:
        raise InvalidInput(f"password: under {MIN_PASSWORD_CHARACTERS} characters")
    if b"\0" in data:
        raise InvalidInput("password: has a NUL character")


def _bytes(password: str) -> bytes | None:
    """What is hashed of a password; None for what is no password: too long, or with a lone surrogate."""
    if len(password) > MAX_PASSWORD_CHARACTERS:
        return None
    try:
        return unicodedata.normalize("NFC", password).encode()
    except UnicodeEncodeError:
        return None


def _hash_of_nothing(cost: Argon2Cost) -> str:
    """A well-formed hash that no password has, and whose verification costs what any other does."""
    salt, digest = (b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (16, 32))
    return f"$argon2id$v=19$m={cost.memory_kib},t={cost.passes},p={cost.lanes}${salt}${digest}"
