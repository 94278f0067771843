"""Mounts rooms in aiohttp and ASGI applications."""
