"""`pychat ban` and its like: finds the person of a name, asks the server for an action, and says what was done."""

from __future__ import annotations

import ipaddress
import json
import sys
from collections.abc import Mapping
from typing import Any

from pychat.client.address import Address
from pychat.domain.actions import ACTIONS
from pychat.domain.errors import Refused
from pychat.terminal.escaping import safe_json, safe_line
from pychat.terminal.http_api import HttpApi

__all__ = ["moderate", "print_audit", "print_queue"]

_OF_PROGRAMS = "post:"  # how the ids of programs begin, which are no people
_PAGE = 200  # messages, entries of the audit log
_Fields = dict[str, Any]


async def moderate(
    url: str,
    action: str,
    fields: _Fields,
    *,
    who: str | None,
    is_id: bool,
    room: str | None,
    token: str | None,
    headers: Mapping[str, str],
) -> None:
    """Perform an action of the table, and print what was done.

    `who` is a nickname, an address or a network, or with `is_id` the id of a member.
    """
    async with HttpApi.opened(Address.parse(url, room), token, headers) as api:
        whom = ""
        if who is not None:
            network = None if is_id else _network(who)
            if network is not None and "network" in ACTIONS[action].optional:
                fields, whom = {**fields, "network": network}, network
            else:
                member, name = (who, "") if is_id else await _find(api, action, who)
                fields, whom = {**fields, "member": member}, f"{name} ({member})" if name else member
        told = await _ask(api, "POST", "moderation", {"action": action, **fields})
        if "token" in told:
            # The token is behind the #, so that no server writes it into a log.
            _print(f"{api.address.page(await api.room())}#invite={told['token']}")
            _note(f"To revoke it: pychat revoke {url} {told['invite']}")
            return
        deleted = f" {told['deleted']:,} messages were deleted." if "deleted" in told else ""
        _print(f"Done: {action}{whom and ' '}{whom}.{deleted}")


async def print_queue(url: str, *, json: bool, room: str | None, token: str | None, headers: Mapping[str, str]) -> None:
    """Print the reports, the held messages and the people who ask to come in, the oldest first."""
    async with HttpApi.opened(Address.parse(url, room), token, headers) as api:
        state = await _ask(api, "GET", "moderation")
    for kind in ("reports", "held", "asking"):
        for each in reversed(state[kind]):
            _print(_as_json({"type": kind, **each}) if json else _queued(kind, each), safe=json)
    if not any(state[kind] for kind in ("reports", "held", "asking")):
        _note("Nothing waits for moderators.")


async def print_audit(
    url: str, *, limit: int, json: bool, room: str | None, token: str | None, headers: Mapping[str, str]
) -> None:
    """Print what moderators did: the newest `limit` entries, the oldest of them first."""
    entries: list[_Fields] = []
    async with HttpApi.opened(Address.parse(url, room), token, headers) as api:
        more = True
        while more and len(entries) < limit:
            before = f"&before={entries[-1]['number']}" if entries else ""
            told = await _ask(api, "GET", f"audit?limit={min(_PAGE, limit - len(entries))}{before}")
            entries += told["entries"]
            more = told["more"] and bool(told["entries"])
    for each in reversed(entries):
        _print(_as_json(each) if json else _done(each), safe=json)
    if not entries:
        _note("No moderator has done anything here.")


async def _ask(api: HttpApi, method: str, path: str, fields: _Fields | None = None) -> Mapping[str, Any]:
    try:
        return await api.ask_room(method, path, fields)
    except Refused as refused:
        if refused.code != "unauthorized":
            raise
        hint = "Give --token TOKEN: an API token of the server (pychat serve --api-token), or that of a moderator."
        raise Refused(refused.code, f"{refused.text} {hint}") from None


# Who is meant.


def _network(who: str) -> str | None:
    """The address or network that `who` is; `None` for a name."""
    if "." not in who and ":" not in who:
        return None  # a name may be a number
    try:
        return str(ipaddress.ip_network(who, strict=False))
    except ValueError:
        return None


async def _find(api: HttpApi, action: str, name: str) -> tuple[str, str]:
    """The id and the name of the person who has, or had, that name. Raise `Refused` if it is not exactly one."""
    wanted = name.removeprefix("@").casefold()
    for people in _SOURCES.get(action, ("here", "said", "known")):
        found = {id_: called for id_, called in await _PEOPLE[people](api) if called.casefold() == wanted}
        if len(found) > 1:
            told = ", ".join(found)
            raise Refused("not_found", f"Several people have had the name “{name}”. Give an id with --id: {told}")
        if found:
            return found.popitem()
    text = f"Nobody of the name “{name}” is here or has written lately. Give the id of the member with --id."
    raise Refused("not_found", text)


#: Where to look for the person of a name, for some actions.
_SOURCES = {"unban": ("banned", "known"), "unmute": ("muted", "here", "known")}


async def _here(api: HttpApi) -> list[tuple[str, str]]:
    return [(each["id"], each["name"]) for each in (await _ask(api, "GET", "members"))["members"]]


async def _authors(api: HttpApi) -> list[tuple[str, str]]:
    found = await _ask(api, "GET", f"messages?limit={_PAGE}")
    authors = [(each["author"]["id"], each["author"]["name"]) for each in found["messages"]]
    return [each for each in authors if not each[0].startswith(_OF_PROGRAMS)]


async def _listed(api: HttpApi, *lists: str) -> list[tuple[str, str]]:
    state = await _ask(api, "GET", "moderation")
    return [(each["member"], each.get("name", "")) for name in lists for each in state[name] if each.get("member")]


async def _banned(api: HttpApi) -> list[tuple[str, str]]:
    return await _listed(api, "bans")


async def _muted(api: HttpApi) -> list[tuple[str, str]]:
    return await _listed(api, "mutes")


async def _known(api: HttpApi) -> list[tuple[str, str]]:
    return await _listed(api, "roles", "bans", "mutes", "reports", "held", "asking")


_PEOPLE = {
    "here": _here,
    "said": _authors,
    "banned": _banned,
    "muted": _muted,
    "known": _known,
}


# What is printed.


def _queued(kind: str, each: _Fields) -> str:
    reason = f" ({each['reason']})" if each.get("reason") else ""
    match kind:
        case "reports":
            who = each.get("by_name") or each.get("by")
            what = f"{who} reports message {each['target']} of {each['name']}{reason}: {each['text']}"
        case "held":
            what = f"{each['name']} waits with a message{reason}: {each['text']}"
        case _:
            what = f"{each['name']} asks to come in: {each['text']}"
    return f"{each['item']}  {_time(each['date'])}  {what}"


def _done(each: _Fields) -> str:
    name = each.get("name")
    target = f"{name} ({each['target']})" if name and each.get("target") else name or each.get("target", "")
    until = f" until {_time(each['until'])}" if "until" in each else ""
    data = "".join(f" {key}={value}" for key, value in each.get("data", {}).items())
    reason = f": {each['reason']}" if each.get("reason") else ""
    by = each["by"]["name"] or each["by"]["id"]
    return f"{each['number']}  {_time(each['date'])}  {by}: {each['action']} {target}{until}{data}{reason}"


def _time(date: str) -> str:
    return f"{date[:16].replace('T', ' ')} UTC"


def _as_json(fields: _Fields) -> str:
    return safe_json(json.dumps(fields, ensure_ascii=False))


def _note(line: str) -> None:
    print(f"pychat: {safe_line(line)}", file=sys.stderr)  # noqa: T201 -- beside the output


def _print(line: str, *, safe: bool = False) -> None:
    print(line if safe else safe_line(line))  # noqa: T201 -- a command speaks by printing
