"""HTTP long-polling: answers polls with the waiting packets, and reads posted packets in order."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from base64 import b64decode

from pychat.domain.errors import Close
from pychat.net.http.body import BodyMalformed, BodyTooLarge
from pychat.transports.socketio.engineio.outbox import Outbox
from pychat.transports.socketio.engineio.packet import BadPacket
from pychat.transports.socketio.engineio.replies import BAD_REQUEST, UNKNOWN_SID, refusal
from pychat.transports.socketio.engineio.request import HostRequest, Reply
from pychat.transports.socketio.engineio.socket import EngineIOSocket, Reason
from pychat.transports.socketio.options import Options

__all__ = ["payload", "poll", "post", "posted"]

#: Bodies up to this size are compressed on the spot; larger ones in a thread, so that nobody else waits.
_COMPRESS_HERE = 32 * 1024
_SEPARATOR = b"\x1e"
#: Packets of one body that are taken in one turn of the event loop; then others are served.
_PACKETS_A_TURN = 32


class PayloadTooLarge(BadPacket):
    """A body holds more packets than are taken, or one that is too large."""


async def poll(socket: EngineIOSocket, outbox: Outbox, request: HostRequest) -> Reply:
    """Answer with what waits, or as soon as something does."""
    if outbox.poll is not None:
        socket.close(Close.BAD_FRAME, Reason.TRANSPORT_ERROR)
        return refusal(400, BAD_REQUEST)
    if outbox.empty and not socket.probed:
        outbox.poll = asyncio.get_running_loop().create_future()
        here = False
        try:
            here = await request.hold(outbox.poll)
        finally:
            outbox.poll = None
            if not here:
                # The client went with its request open; nothing more will be fetched.
                socket.close(None, Reason.TRANSPORT_CLOSE)
        if not here:
            return refusal(400, UNKNOWN_SID)
    return await _compressed(socket.owner.options, outbox.take(), request)


async def post(socket: EngineIOSocket, request: HostRequest) -> Reply:
    """Take the packets of a body, in order."""
    options = socket.owner.options
    if socket.posting or (request.header("content-type") or "").startswith("application/octet-stream"):
        socket.close(Close.BAD_FRAME, Reason.TRANSPORT_ERROR)
        return refusal(400, BAD_REQUEST)
    socket.posting = True
    try:
        async with asyncio.timeout(options.body_seconds):
            body = await request.body(options.max_http_buffer_size)
        await _take_payload(options, socket, body)
    except BodyTooLarge:
        socket.close(Close.TOO_LARGE, Reason.TRANSPORT_ERROR)
        text = f"A body can have {options.max_http_buffer_size} bytes at most (maxPayload in the handshake)"
        return refusal(413, (BAD_REQUEST[0], text))
    except PayloadTooLarge as problem:
        socket.close(Close.TOO_LARGE, Reason.TRANSPORT_ERROR)
        return refusal(413, (BAD_REQUEST[0], str(problem)))
    except (BadPacket, BodyMalformed, UnicodeDecodeError) as problem:
        socket.complain(BadPacket(str(problem) or "A malformed body"))
        return refusal(400, BAD_REQUEST)
    except (TimeoutError, ConnectionError):
        socket.close(None, Reason.TRANSPORT_CLOSE)
        return refusal(400, BAD_REQUEST)
    finally:
        socket.posting = False
    return posted()


async def _take_payload(options: Options, socket: EngineIOSocket, body: bytes) -> None:
    """Hand the packets of a body to the socket, in order, until one closes it.

    A few in each turn of the event loop, and none while those before wait for their handlers. Raises `BadPacket` and
    `UnicodeDecodeError` at the first that is none.
    """
    count = body.count(_SEPARATOR) + 1
    if count > options.max_payload_packets:
        limit = options.max_payload_packets
        raise PayloadTooLarge(f"A body can have {limit} packets at most; this one has {count}. Send several")
    begin = 0
    for number in range(1, count + 1):
        end = body.find(_SEPARATOR, begin) if number < count else len(body)
        socket.receive(_packet(body[begin:end], options.message_bytes))
        begin = end + 1
        if socket.overfull:
            await socket.wait_until_drained()
        elif not number % _PACKETS_A_TURN:
            await asyncio.sleep(0)
        if socket.closed:
            return


def _packet(part: bytes, max_bytes: int) -> str | bytes:
    """One Engine.IO packet of a body: text, or bytes in base64 behind a `b`."""
    binary = part.startswith(b"b")
    if len(part) > (max_bytes * 4 // 3 + 5 if binary else max_bytes):
        raise PayloadTooLarge(f"A message can have {max_bytes} bytes at most")
    if not binary:
        return part.decode()
    try:
        return b64decode(part[1:], validate=True)
    except ValueError:
        raise BadPacket("Not base64") from None


def posted() -> Reply:
    """The answer to a body that was taken."""
    return payload("ok")


def payload(text: str) -> Reply:
    """The answer that holds these packets."""
    headers = [("Content-Type", "text/plain; charset=UTF-8"), ("Cache-Control", "no-store")]
    return Reply(200, text.encode(), headers)


async def _compressed(options: Options, text: str, request: HostRequest) -> Reply:
    reply = payload(text)
    if not options.http_compression or len(reply.body) < options.compression_threshold:
        return reply
    accepted = {part.partition(";")[0].strip() for part in (request.header("accept-encoding") or "").split(",")}
    name = "gzip" if "gzip" in accepted else "deflate" if "deflate" in accepted else None
    if name is None:
        return reply
    if len(reply.body) <= _COMPRESS_HERE:
        reply.body = _compress(name, reply.body)
    else:
        reply.body = await asyncio.to_thread(_compress, name, reply.body)
    reply.headers += [("Content-Encoding", name), ("Vary", "Accept-Encoding")]
    return reply


def _compress(name: str, body: bytes) -> bytes:
    return gzip.compress(body, 1, mtime=0) if name == "gzip" else zlib.compress(body, 1)
