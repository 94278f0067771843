"""Direct rooms: private rooms of two or some people, whose names are made from the ids of their members."""

from __future__ import annotations

import base64
import hmac
from collections.abc import AsyncIterator, Collection, Mapping

from pychat.stores import RoomRecord, RoomRecords

__all__ = ["ERASED", "MAX_DIRECT", "direct_name", "direct_record", "direct_rooms_of", "is_direct", "stored_names"]

#: The most members of a direct room.
MAX_DIRECT = 20
#: The title of a direct room in which one person is left, after the others were erased.
ERASED = "Deleted person"
_PREFIX = "direct-"
_BYTES = 18  # of the signature that is in the name
_PAGE = 500  # records that are read at a time
_NAMES = "names"  # in the settings of a record: the names of the members, by id


def is_direct(name: object) -> bool:
    """Return whether a room of that name may be a direct one. Its record has its members, if it is."""
    return isinstance(name, str) and name.startswith(_PREFIX)


def direct_name(secret: bytes, member_ids: Collection[str]) -> str:
    """The name of the direct room of these members, the same in any order. Nobody can guess it without `secret`."""
    mac = hmac.digest(secret, "\n".join(sorted(member_ids)).encode(), "sha256")
    return _PREFIX + base64.urlsafe_b64encode(mac[:_BYTES]).decode()


def direct_record(name: str, names: Mapping[str, str]) -> RoomRecord:
    """The record of the direct room of the members with these ids and names."""
    people = tuple(sorted(names))
    title = ", ".join(filter(None, (names[each] for each in people)))
    return RoomRecord(name, ERASED if len(people) == 1 else title or name, {_NAMES: dict(names)}, people)


def stored_names(record: RoomRecord | None) -> dict[str, str]:
    """The names of the members of a direct room when it was made, by id."""
    names = {} if record is None else record.settings.get(_NAMES, {})
    return {str(each): str(name) for each, name in names.items()} if isinstance(names, Mapping) else {}


async def direct_rooms_of(records: RoomRecords, member_id: str) -> AsyncIterator[RoomRecord]:
    """Yield the records of the direct rooms with that member."""
    after = _PREFIX
    while page := await records.page(after, _PAGE):
        for record in page:
            if not is_direct(record.name):
                return
            if member_id in record.people:
                yield record
        after = page[-1].name
