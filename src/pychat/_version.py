"""The version of pychat."""

__version__ = "0.1.0"
