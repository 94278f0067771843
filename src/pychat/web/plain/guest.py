"""Who uses the page without scripts: a guest has a signed cookie, and each form has a token that only they know."""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass

from pychat.domain.model import User
from pychat.net.http.request import Request
from pychat.room.tokens import Tokens

__all__ = ["COOKIE", "Visitor"]

#: The cookie with a guest's token. It has no path, so browsers send it below this mount only.
COOKIE = "pychat-guest"
_SECONDS = 365 * 86400
_FORM_BYTES = 18


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody on the page without scripts."""

    member_id: str
    #: The login; `None` for a guest.
    user: User | None
    #: With this, a guest comes back as the same member; `None` for a user.
    token: str | None
    #: True if the browser sent that token, or if this is a user.
    known: bool
    #: The token in each form. Another site cannot read it, so it cannot send the form.
    form: str

    @classmethod
    def of(cls, request: Request, user: User | None, tokens: Tokens) -> Visitor:
        """Return who sends `request`: the user, the guest of the cookie, or a new guest."""
        given = tokens.read(request.cookies.get(COOKIE, ""))
        member_id = user.member_id if user is not None else given or Tokens.new_id()
        mac = hmac.digest(tokens.key("plain forms"), member_id.encode(), "sha256")[:_FORM_BYTES]
        return cls(
            member_id,
            user,
            None if user is not None else tokens.issue(member_id),
            user is not None or given is not None,
            base64.urlsafe_b64encode(mac).decode(),
        )

    def sent(self, form: str) -> bool:
        """True if a form with the token `form` is one of this visitor's."""
        return self.known and hmac.compare_digest(self.form.encode(), form.encode())

    def cookie(self, *, secure: bool) -> dict[str, str]:
        """The header that lets a guest come back."""
        if self.token is None:
            return {}
        only_tls = "; Secure" if secure else ""
        return {"Set-Cookie": f"{COOKIE}={self.token}; Max-Age={_SECONDS}; HttpOnly; SameSite=Lax{only_tls}"}
