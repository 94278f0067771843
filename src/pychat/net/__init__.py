"""Sockets and hosts, and nothing of chat."""
