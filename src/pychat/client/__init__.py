"""The Python client: a room on a server, spoken to over the plain WebSocket. `Client` is what programs use."""

from pychat.client.client import Client
from pychat.client.disconnected import Disconnected
from pychat.client.event_queue import ClientEvent
from pychat.client.snapshot import RoomSnapshot
from pychat.client.status import State

__all__ = ["Client", "ClientEvent", "Disconnected", "RoomSnapshot", "State"]
