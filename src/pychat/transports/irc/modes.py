"""The modes of a channel: which there are, how a client writes them, and the masks of bans.

Sources: RFC 2812, section 3.2.3, and the tokens `CHANMODES` and `PREFIX` of `RPL_ISUPPORT`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pychat.domain.moderation import Record
from pychat.domain.moderation_state import ADDRESS, MEMBER, ModerationState
from pychat.domain.roles import Role
from pychat.transports.irc.nicks import casefold, is_nick, nick_like
from pychat.transports.irc.text import as_word

__all__ = ["CHANMODES", "LETTERS", "MASKS", "MODES", "PREFIX", "Ban", "Change", "ban_of", "change_mark", "changes"]
__all__ += ["mark_of", "mask_of", "mask_of_record", "modes_of", "modes_set", "parse_ban"]

#: The mode that a prefix before a nick stands for.
LETTERS = {"@": "o", "+": "v"}
PREFIX = "(ov)@+"
#: Lists, modes that always have a parameter, those that have one when they are set, and those without.
CHANMODES = "b,k,,imnt"
#: How many modes with a parameter a line can change.
MODES = 4
_MAX_LETTERS = 16  # in one line
_WITH_PARAMETER = "bkov"
_USERS, _HOSTS = ("", "*", "~chat", "*chat"), ("", "*", "pychat")
MASKS = "Ban a person as NICK!*@*, or an address or network as *!*@203.0.113.0/24: real addresses are hidden here."


class Change(NamedTuple):
    """One mode that a client sets (`on`) or takes away."""

    on: bool
    letter: str
    param: str | None = None


class Ban(NamedTuple):
    """Whom a mask means: the person of a nick, or a network. The other one is empty."""

    nick: str = ""
    network: str = ""


def changes(words: tuple[str, ...]) -> list[Change]:
    """The changes in the parameters of a `MODE` line, after the channel. What is too much is left out."""
    letters, params = words[0][: 2 * _MAX_LETTERS], list(words[1 : 1 + MODES])
    found, on = [], True
    for letter in letters:
        if letter in "+-":
            on = letter == "+"
        elif letter in _WITH_PARAMETER:
            found.append(Change(on, letter, params.pop(0) if params else None))
        else:
            found.append(Change(on, letter))
    return [*dict.fromkeys(found[:_MAX_LETTERS])]  # a list is sent once


def modes_of(state: ModerationState) -> tuple[str, ...]:
    """The modes of a room, with their parameters. The password is told to nobody."""
    on = "".join(letter for letter, setting, plain in _SETTINGS if state.setting(setting) != plain)
    return (f"+nt{on}", "*") if "k" in on else (f"+nt{on}",)


#: The letter of a mode, the setting that it stands for, and the value without the mode.
_SETTINGS = (("i", "entry", "open"), ("m", "writing", "all"), ("k", "password", ""))


def modes_set(data: Mapping[str, Any]) -> tuple[str, ...]:
    """The modes that follow from changed settings, as in an audit entry; empty if there are none."""
    changed = [(letter, bool(data[name]) and data[name] != plain) for letter, name, plain in _SETTINGS if name in data]
    modes = "".join(f"{'+' if on else '-'}{letter}" for letter, on in changed)
    return () if not modes else (modes, "*") if "k" in modes else (modes,)


def mark_of(role: Role, stored: Role | None) -> str:
    """The prefix of somebody of that role: `@` for moderators and owners, `+` for those the room has made members."""
    if role >= Role.MODERATOR:
        return "@"
    return "+" if stored is Role.MEMBER else ""


def change_mark(before: str, after: str, nick: str) -> tuple[str, ...]:
    """The modes that lead from one prefix to another."""
    taken, given = before and f"-{LETTERS[before]}", after and f"+{LETTERS[after]}"
    return (taken + given, *[nick] * (bool(taken) + bool(given)))


def parse_ban(mask: str) -> Ban | None:
    """Whom a mask means; `None` if it can mean nobody here."""
    nick, _, rest = mask.partition("!") if "!" in mask or "@" not in mask else ("*", "", mask)
    user, _, host = rest.partition("@")
    if user not in _USERS:
        return None
    if host in _HOSTS:
        return Ban(nick=nick) if is_nick(nick) else None
    return Ban(network=host) if nick in ("", "*") and ("." in host or ":" in host) and "*" not in host else None


def mask_of(name: str, target: str) -> str:
    """The mask of a ban of the member `target`, who is called `name`; without a name, of the network `target`."""
    is_network = not name and ("." in target or ":" in target) and not target.startswith("user:")
    return f"*!*@{target}" if is_network else f"{as_word(nick_like(name or target))}!*@*"


def mask_of_record(ban: Record) -> str:
    """The mask of a ban."""
    if ban.key.startswith(ADDRESS):
        return mask_of("", ban.key.removeprefix(ADDRESS))
    return mask_of(str(ban.data.get("name", "")), ban.key.removeprefix(MEMBER))


def ban_of(state: ModerationState, nick: str) -> str | None:
    """The id of the member who is banned under that nick, the last one if there are several."""
    mask = casefold(f"{nick}!*@*")
    bans = reversed(list(state.of("ban").values()))
    found = (each for each in bans if each.key.startswith(MEMBER) and casefold(mask_of_record(each)) == mask)
    return next((each.key.removeprefix(MEMBER) for each in found), None)
