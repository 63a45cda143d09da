"""Identities elsewhere: what a provider tells of a person, and what is kept of it."""

from dataclasses import dataclass
from datetime import datetime

from authcenter.core.ids import Subject
from authcenter.core.value import Value


class ExternalIdentity(Value, frozen=True):
    """Who somebody is at a provider, in one form whatever the provider. Empty text: not told.

    Attributes:
        provider: Our name of it.
        provider_subject: The provider's id of the person: the only thing that it never gives to somebody else.
        email_verified: Whether the provider says that the address is theirs; whether it is believed is policy.
        username: The name they go by there; not unique, not ours.
    """

    provider: str
    provider_subject: str
    email: str = ""
    email_verified: bool = False
    name: str = ""
    username: str = ""
    picture: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """An identity elsewhere that signs a user in here.

    Attributes:
        email: What the provider told last, for people to recognise it by; ``name`` as well.
        used_at: When it last signed somebody in.
    """

    provider: str
    provider_subject: str
    subject: Subject
    email: str
    name: str
    linked_at: datetime
    used_at: datetime
