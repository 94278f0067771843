"""A running room: commands, delivery of events, and connected members."""
