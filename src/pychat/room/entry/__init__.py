"""Who may come into a room: challenges, attempts at secrets, and the requests of people at the door."""

from pychat.room.entry.desk import LONGEST_FIELD, WAYS, Applicant, EntryDesk, EntryResult

__all__ = ["LONGEST_FIELD", "WAYS", "Applicant", "EntryDesk", "EntryResult"]
