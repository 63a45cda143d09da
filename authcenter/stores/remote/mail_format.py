"""Mails as they go over the wire (RFC 5322, MIME): seven bits wide, whatever is in them."""

import re
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from authcenter.stores.ports.mail import Mail, MailRefused

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_LONGEST_SUBJECT, _LONGEST_NAME = 200, 100
_NAMED = re.compile(r"(.*) <([^<>]*)>", re.DOTALL)
_LONGEST_LOCAL_PART, _LONGEST_DOMAIN = 64, 255


def compose(mail: Mail, sender: str, at: datetime) -> EmailMessage:
    """``mail`` as a message.

    Args:
        sender: An address, or a name and an address in angle brackets.
        at: When it is sent.

    Raises:
        MailRefused: Its address is none that a header or an envelope can have.
    """
    name, address = _parts(sender)
    origin = _address(address)
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(_one_line(name, _LONGEST_NAME), origin.username, origin.domain)
    message["To"] = _address(mail.to)
    message["Subject"] = _one_line(mail.subject, _LONGEST_SUBJECT)
    message["Date"] = at
    message["Message-ID"] = f"<{mail.mail_id}@{origin.domain}>"
    # No holiday notices in return (RFC 3834 §5).
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(mail.text, cte="quoted-printable")
    message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    # Last: what is said of the content before there is one is said of its first part.
    message["Content-Language"] = mail.language
    return message


def envelope_address(text: str) -> str:
    """The address of ``text`` as the envelope has it: of a domain the form that DNS knows.

    Raises:
        MailRefused: It is none.
    """
    found = _address(_parts(text)[1])
    return f"{found.username}@{found.domain}"


def _parts(text: str) -> tuple[str, str]:
    named = _NAMED.fullmatch(text)
    return (named[1].strip(' "'), named[2]) if named else ("", text)


def _address(text: str) -> Address:
    username, _, domain = text.rpartition("@")
    # An address that has to be quoted is one that half of the world's mail servers read in another way.
    if not username or not domain or re.search(r'[\s\x00-\x1f\x7f"(),:;<>@\[\]\\]', text.replace("@", "", 1)):
        raise MailRefused("the address is malformed")
    try:
        ascii_domain = domain.encode("idna").decode().lower()
        if len(username.encode()) > _LONGEST_LOCAL_PART or len(ascii_domain) > _LONGEST_DOMAIN:
            raise MailRefused("the address is too long")
        return Address("", username, ascii_domain)
    except ValueError:
        raise MailRefused("the address is malformed") from None


def _one_line(text: str, longest: int) -> str:
    line = " ".join(_CONTROL.sub(" ", text).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"
