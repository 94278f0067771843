"""Version 2 of the protocol on any transport: one connection of a person, in many rooms."""

from __future__ import annotations

from pychat.transports.person.begin import begin
from pychat.transports.person.connection import PersonConnection
from pychat.transports.person.encoders import Encoders
from pychat.transports.person.people import People
from pychat.transports.person.wire import PersonWire

__all__ = ["Encoders", "People", "PersonConnection", "PersonWire", "begin"]
