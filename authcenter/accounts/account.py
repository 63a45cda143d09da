"""What a new account must look like."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from authcenter.core.errors import InvalidInput
from authcenter.core.ids import SUBJECT_PREFIX, Subject
from authcenter.core.scope import is_scope_token
from authcenter.core.user import name_key

# The widths of the columns.
_MAX_USERNAME = 255
_MAX_USERNAME_KEY = 512
_MAX_EMAIL = 320
_MAX_EMAIL_KEY = 640

_MAX_LOCAL_PART = 64
_MAX_DOMAIN = 255
_MAX_ROLES = 64
_MAX_ROLE = 64

_SUBJECT = re.compile(re.escape(SUBJECT_PREFIX) + r"[A-Za-z0-9._~-]{1,60}")
# Not all that RFC 5322 allows: no quoting, no comments, nothing that could make two addresses of one.
_LOCAL_PART = re.compile(r"""[^\s@<>()\[\],;:"\\.]+(?:\.[^\s@<>()\[\],;:"\\.]+)*""")
_LABEL = re.compile(r"[^\W_](?:(?:[^\W_]|-)*[^\W_])?")


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to be made.

    Attributes:
        subject: Kept where it is brought along from elsewhere; None: a new one.
    """

    username: str
    email: str
    roles: frozenset[str]
    email_verified: bool = True
    disabled: bool = False
    subject: Subject | None = None

    def problems(self) -> Iterator[tuple[str, str]]:
        """What does not hold, as field and sentence."""
        if problem := _username_problem(self.username, self.email):
            yield "username", problem
        if problem := address_problem(self.email):
            yield "email", problem
        for problem in _role_problems(self.roles):
            yield "roles", problem
        if self.subject is not None and not _SUBJECT.fullmatch(self.subject):
            yield "sub", f"not {SUBJECT_PREFIX} and 1 to 60 letters, digits or . _ ~ -"

    def check(self) -> None:
        """Raises ``InvalidInput`` with the first problem."""
        for name, problem in self.problems():
            raise InvalidInput(f"{name}: {problem}")


def check_roles(roles: frozenset[str]) -> None:
    """Raises ``InvalidInput`` with the first problem."""
    for problem in _role_problems(roles):
        raise InvalidInput(f"roles: {problem}")


def is_askable(login: str) -> bool:
    """Whether ``login`` may be the name or address of anybody, so that a store is worth asking."""
    if len(login) > _MAX_EMAIL_KEY:
        return False
    key = name_key(login)
    return 0 < len(key) <= _MAX_EMAIL_KEY and key.isprintable()


def address_problem(email: str) -> str | None:
    """Why ``email`` cannot be the address of an account, as a sentence; None: it can."""
    # The length first: strangers send these, and normalising takes the square of what it is given.
    key = name_key(email) if len(email) <= _MAX_EMAIL else ""
    if not key or len(key) > _MAX_EMAIL_KEY:
        return f"not 1 to {_MAX_EMAIL} characters"
    local, _, domain = email.rpartition("@")
    sound = (
        email.isprintable()
        and key.isprintable()
        and key.count("@") == 1
        and len(local) <= _MAX_LOCAL_PART
        and len(domain) <= _MAX_DOMAIN
        and _LOCAL_PART.fullmatch(local)
        and all(_LABEL.fullmatch(label) for label in domain.split("."))
    )
    return None if sound else "not an address like name@host.example"


def _username_problem(username: str, email: str) -> str | None:
    key = name_key(username) if len(username) <= _MAX_USERNAME else ""
    if not key or len(key) > _MAX_USERNAME_KEY:
        return f"not 1 to {_MAX_USERNAME} characters"
    if username != username.strip():
        return "has blanks around it"
    if not (username.isprintable() and key.isprintable()):
        return "has characters that do not print"
    if key.startswith(SUBJECT_PREFIX):
        return f"begins with {SUBJECT_PREFIX}, as subjects do"
    # One name space: whoever types an address must not meet somebody else's name.
    if "@" in key and key != name_key(email):
        return "has an @ but is not the account's own address"
    return None


def _role_problems(roles: frozenset[str]) -> Iterator[str]:
    if len(roles) > _MAX_ROLES:
        yield f"more than {_MAX_ROLES}"
    for role in sorted(roles):
        if len(role) > _MAX_ROLE or not is_scope_token(role):
            yield f"{role!a:.40} is not 1 to {_MAX_ROLE} printable ASCII characters without space, quote or \\"
