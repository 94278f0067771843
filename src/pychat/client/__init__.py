"""The Python client: connects to a room over the plain WebSocket. Programs use `Client`."""

from pychat.client.client import Client
from pychat.client.disconnected import Disconnected
from pychat.client.event_queue import ClientEvent
from pychat.client.snapshot import RoomSnapshot
from pychat.client.status import State

__all__ = ["Client", "ClientEvent", "Disconnected", "RoomSnapshot", "State"]
