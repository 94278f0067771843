"""Mounting: rooms inside aiohttp and ASGI applications."""
