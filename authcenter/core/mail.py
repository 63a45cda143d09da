"""Mails to people: which there are, and what each has to tell."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class MailKind(StrEnum):
    """What a mail is about; its templates bear this name."""

    CONFIRM_ADDRESS = "confirm_address"
    """Sign-up: go on by the link."""

    ADDRESS_HAS_ACCOUNT = "address_has_account"
    """Somebody signed up with an address that has an account."""

    CONFIRM_NEW_ADDRESS = "confirm_new_address"
    """To the new address of an account: confirm by the link."""

    ADDRESS_CHANGED = "address_changed"
    """To the address that an account had."""

    RESET_PASSWORD = "reset_password"
    """Set a new password by the link."""

    PASSWORD_CHANGED = "password_changed"
    FAILED_SIGN_INS = "failed_sign_ins"
    """Somebody has been trying passwords on the account."""

    FAILED_SECOND_FACTORS = "failed_second_factors"
    """Somebody has proved the first factor of the account, and has been trying second ones."""

    SECOND_FACTOR_ADDED = "second_factor_added"
    SECOND_FACTOR_REMOVED = "second_factor_removed"
    RECOVERY_CODE_USED = "recovery_code_used"
    """Somebody signed in by one; ``left`` tells how many there still are."""

    RECOVERY_CODES_RENEWED = "recovery_codes_renewed"
    IDENTITY_LINKED = "identity_linked"
    IDENTITY_UNLINKED = "identity_unlinked"
    ACCOUNT_DELETED = "account_deleted"


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail to be written.

    Attributes:
        to: The stored address, never one that the reader of a page typed beside it.
        language: A BCP 47 tag that the catalogue has.
        values: What the templates of ``kind`` fill in, beside the brand; ``link`` is a path with its one-time query,
            to which the issuer is put in front.
    """

    kind: MailKind
    to: str
    language: str
    values: Mapping[str, str] = field(default_factory=dict)
