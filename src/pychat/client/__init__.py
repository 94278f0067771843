"""The Python client: over the plain WebSocket, `Client` is in one room, and `ChatClient` in many."""

from pychat.client.chat_client import ChatClient, EnteredRoom
from pychat.client.client import Client
from pychat.client.disconnected import Disconnected
from pychat.client.event_queue import ClientEvent
from pychat.client.listed_room import ListedRoom
from pychat.client.room import RoomClient
from pychat.client.snapshot import RoomSnapshot
from pychat.client.status import State

__all__ = [
    "ChatClient",
    "Client",
    "ClientEvent",
    "Disconnected",
    "EnteredRoom",
    "ListedRoom",
    "RoomClient",
    "RoomSnapshot",
    "State",
]
