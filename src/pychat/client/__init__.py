"""The Python client: a room on a server, spoken to over the plain WebSocket. `Client` is what programs use."""

from .client import Client
from .disconnected import Disconnected
from .entered import Entered
from .feed import ClientEvent
from .status import State

__all__ = ["Client", "ClientEvent", "Disconnected", "Entered", "State"]
