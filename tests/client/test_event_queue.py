"""Events that wait for a program which reads slowly."""

from __future__ import annotations

from pychat.client.event_queue import EventQueue
from pychat.client.snapshot import RoomSnapshot
from pychat.domain.model import Member, Message, Position


def test_a_snapshot_that_does_not_fit_is_requested_again() -> None:
    """The program would not see it: so the client comes back with the position before, and gets it then."""
    queue = EventQueue(max_bytes=100)
    before = Position("old", 0)
    queue.start(before, RoomSnapshot("lobby", "Lobby"), 10)
    queue.happened(Message("m1", Member("a", "Ada"), "hi", 0.0, seq=1), 80)
    queue.start(Position("new", 7), RoomSnapshot("lobby", "Lobby"), 50)
    assert queue.position is not None
    assert (queue.position.epoch, queue.position.seq) == ("old", 1)
    assert queue.events.full
