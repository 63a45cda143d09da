"""``/account/download``: all that is kept about a person, as a file."""

import json
from dataclasses import dataclass

from authcenter.accounts.personal_data import PersonalData
from authcenter.http.pages.own_account import OwnAccount
from authcenter.http.pages.rendering import Pages
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import NO_STORE, Answer, header_lines
from authcenter.http.router import Router

PATH = "/account/download"
_FILE = NO_STORE + header_lines(
    {"Content-Type": "application/json", "Content-Disposition": 'attachment; filename="account.json"'}
)


@dataclass(frozen=True, slots=True)
class DownloadPage:
    """Says what there is, and hands it out to who has signed in lately."""

    pages: Pages
    own: OwnAccount
    data: PersonalData

    def mount(self, router: Router) -> None:
        self.pages.mount(router, PATH, self.get, self.post)

    async def get(self, visit: Visit) -> Answer:
        signed_in = await self.own.open(visit, PATH, lately=True)
        if isinstance(signed_in, Answer):
            return signed_in
        return self.pages.show(visit, "account_download.html", user=signed_in.user)

    async def post(self, visit: Visit) -> Answer:
        signed_in = await self.own.open(visit, PATH, lately=True)
        if isinstance(signed_in, Answer):
            return signed_in
        told = await self.data.hand_out(signed_in.user.subject, visit.origin)
        # For people to read, too.
        return Answer(json.dumps(told, indent=2, ensure_ascii=False).encode(), lines=_FILE)
