"""The commands of a person on version 2, which are not for one room.

`enter` and `exit` are methods of `PersonConnection`, because they change which rooms it is in.
"""

from __future__ import annotations

from collections.abc import Mapping

from pychat.transports.person.connection import PersonCommand

__all__ = ["COMMANDS"]

#: By name. `protocol.v2.PERSON_COMMANDS` has the fields of each.
COMMANDS: Mapping[str, PersonCommand] = {}
