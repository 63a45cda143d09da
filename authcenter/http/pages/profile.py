"""``/account/profile``: what a person says of themselves."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authcenter.accounts.profile import Profiles, wrong_claims
from authcenter.core.form import Form
from authcenter.core.user import User
from authcenter.http.pages.own_account import OwnAccount
from authcenter.http.pages.rendering import Pages, see_other
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer
from authcenter.http.router import Router

PATH = "/account/profile"


@dataclass(frozen=True, slots=True)
class Field:
    """An input of the form.

    Attributes:
        autocomplete: The token of HTML's autofill, by which browsers fill it in (WCAG 2.1, 1.3.5).
    """

    name: str
    autocomplete: str
    type: str = "text"


FIELDS = {
    "who": (
        Field("name", "name"),
        Field("given_name", "given-name"),
        Field("middle_name", "additional-name"),
        Field("family_name", "family-name"),
        Field("nickname", "nickname"),
        Field("gender", "sex"),
        Field("birthdate", "bday"),
    ),
    "where": (
        Field("phone_number", "tel", "tel"),
        Field("street_address", "street-address", "lines"),
        Field("postal_code", "postal-code"),
        Field("locality", "address-level2"),
        Field("region", "address-level1"),
        Field("country", "country-name"),
    ),
    "web": (
        Field("picture", "photo", "url"),
        Field("profile", "off", "url"),
        Field("website", "url", "url"),
    ),
    "habits": (
        Field("locale", "language"),
        Field("zoneinfo", "off"),
    ),
}
"""By group, in the order of the form."""

_ADDRESS = ("street_address", "postal_code", "locality", "region", "country")
_NAMES = tuple(field.name for group in FIELDS.values() for field in group)
_CLAIMS = tuple(name for name in _NAMES if name not in _ADDRESS)


@dataclass(frozen=True, slots=True)
class ProfilePage:
    """Shows and changes the standard claims."""

    pages: Pages
    own: OwnAccount
    profiles: Profiles

    def mount(self, router: Router) -> None:
        self.pages.mount(router, PATH, self.get, self.post)

    async def get(self, visit: Visit) -> Answer:
        signed_in = await self.own.open(visit, PATH)
        if isinstance(signed_in, Answer):
            return signed_in
        user = await self.profiles.of(signed_in.user.subject)
        return self._form(visit, user, _shown(user), saved=visit.query.get("saved") is not None)

    async def post(self, visit: Visit) -> Answer:
        signed_in = await self.own.open(visit, PATH)
        if isinstance(signed_in, Answer):
            return signed_in
        user = await self.profiles.of(signed_in.user.subject)
        wanted = _wanted(visit.form, user)
        if wrong := wrong_claims(wanted):
            return self._form(visit, user, _typed(visit.form), 422, wrong)
        await self.profiles.change(user.subject, wanted, visit.origin)
        return see_other(f"{PATH}?saved=1")

    def _form(
        self,
        visit: Visit,
        user: User,
        values: Mapping[str, str],
        status: int = 200,
        wrong: list[str] | None = None,
        *,
        saved: bool = False,
    ) -> Answer:
        marked = {*(wrong or ())} | ({*_ADDRESS} if "address" in (wrong or ()) else set())
        return self.pages.show(
            visit,
            "profile.html",
            status=status,
            user=user,
            groups=FIELDS,
            values=values,
            wrong=marked,
            first=next((name for name in _NAMES if name in marked), None),
            saved=saved,
        )


def _shown(user: User) -> dict[str, str]:
    address = user.claims.get("address") or {}
    return {name: str(user.claims.get(name, "")) for name in _CLAIMS} | {
        name: str(address.get(name, "")) for name in _ADDRESS
    }


def _typed(form: Form) -> dict[str, str]:
    return {name: _text(form, name) for name in (*_CLAIMS, *_ADDRESS)}


def _wanted(form: Form, user: User) -> dict[str, Any]:
    """Claims as the form would have them; None: gone. An address that nobody touched stays with what we do not show."""
    wanted: dict[str, Any] = {name: _text(form, name) or None for name in _CLAIMS}
    held = user.claims.get("address") or {}
    typed = {name: text for name in _ADDRESS if (text := _text(form, name))}
    if typed != {name: _lines(str(held[name])) for name in _ADDRESS if held.get(name)}:
        wanted["address"] = typed or None
    return wanted


def _text(form: Form, name: str) -> str:
    return _lines(form.get(name) or "").strip()


def _lines(text: str) -> str:
    """Browsers send CR LF for a line's end (HTML, form submission)."""
    return text.replace("\r\n", "\n")
