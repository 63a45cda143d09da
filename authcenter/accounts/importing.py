"""Taking over users from elsewhere, hashes included."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from authcenter.accounts.account import NewAccount
from authcenter.accounts.hash_formats import is_supported_hash
from authcenter.accounts.users import Accounts
from authcenter.core.errors import Conflict
from authcenter.core.ids import Subject
from authcenter.core.import_report import ImportReport
from authcenter.core.json_lines import Fields, JsonLine, Problem, read_json_lines
from authcenter.core.user import User, name_key

_KNOWN = ("username", "email", "password_hash", "roles", "email_verified", "disabled", "sub")


async def import_users(lines: Iterable[str], accounts: Accounts, *, actor: str, dry_run: bool) -> ImportReport:
    """Import JSON Lines, one user each: ``username``, ``email``, ``password_hash`` (argon2 or bcrypt), and where they
    are not the default ``roles`` ([]), ``email_verified`` (true), ``disabled`` (false), ``sub`` (a new one).

    Each line is a transaction of its own: the good ones are imported, the bad ones reported. The same file can be
    imported again: who is there already is skipped, not changed. A dry run checks all of it and writes nothing.

    Raises:
        StoreUnavailable: Half-way; import the same file again.
    """
    importing = _Import(accounts, actor, dry_run)
    for line in read_json_lines(lines):
        if isinstance(line, Problem):
            importing.problems.append(line)
        else:
            await importing.take(line)
    return ImportReport(importing.created, importing.skipped, tuple(importing.problems))


@dataclass(slots=True)
class _Import:
    accounts: Accounts
    actor: str
    dry_run: bool
    created: int = 0
    skipped: int = 0
    problems: list[Problem] = field(default_factory=list)
    taken: dict[tuple[str, str], int] = field(default_factory=dict)

    async def take(self, line: JsonLine) -> None:
        fields = Fields(line, _KNOWN)
        account, password_hash = _parse(fields)
        if not fields.problems:
            self._claim(line.number, account, fields)
        if not fields.problems:
            await self._keep(account, password_hash, fields)
        self.problems += fields.problems

    def _claim(self, number: int, account: NewAccount, fields: Fields) -> None:
        """See that no line above names the same user: in a dry run the store cannot tell."""
        claims = [("username", name_key(account.username)), ("email", name_key(account.email))]
        if account.subject:
            claims.append(("sub", account.subject))
        for claim in claims:
            if claim in self.taken:
                fields.refuse(claim[0], f"the same as in line {self.taken[claim]}")
            else:
                self.taken[claim] = number

    async def _keep(self, account: NewAccount, password_hash: str, fields: Fields) -> None:
        others = await self._others(account)
        if any(_same(account, other) for other in others.values()):
            self.skipped += 1
            return
        for name in others:
            fields.refuse(name, "taken by another user")
        if others:
            return
        if not self.dry_run:
            try:
                await self.accounts.add(account, password_hash, actor=self.actor, imported=True)
            except Conflict:
                fields.refuse("username", "name, address or sub has been taken meanwhile")
                return
        self.created += 1

    async def _others(self, account: NewAccount) -> dict[str, User]:
        """Who has the name, the address or the subject already, by field."""
        store = self.accounts.store
        found = {
            "username": await store.find_credentials(account.username),
            "email": await store.find_credentials(account.email),
        }
        users = {name: credentials.user for name, credentials in found.items() if credentials}
        if account.subject and (owner := await store.find(account.subject)):
            users["sub"] = owner
        return users


def _parse(fields: Fields) -> tuple[NewAccount, str]:
    username, email, password_hash = (fields.text(name) for name in ("username", "email", "password_hash"))
    subject = fields.text("sub", "")
    account = NewAccount(
        username=username,
        email=email,
        roles=frozenset(fields.texts("roles")),
        email_verified=fields.flag("email_verified", default=True),
        disabled=fields.flag("disabled", default=False),
        subject=Subject(subject) if subject else None,
    )
    if password_hash and not is_supported_hash(password_hash):
        fields.refuse("password_hash", "neither argon2i, argon2id nor bcrypt of a cost that can be borne")
    reported = {problem.field for problem in fields.problems}
    for name, problem in account.problems():
        if name not in reported:
            fields.refuse(name, problem)
    return account, password_hash


def _same(account: NewAccount, user: User) -> bool:
    return (
        name_key(account.username) == name_key(user.username)
        and name_key(account.email) == name_key(user.email)
        and account.subject in (None, user.subject)
    )
