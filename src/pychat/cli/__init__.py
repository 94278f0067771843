"""The `pychat` command."""
