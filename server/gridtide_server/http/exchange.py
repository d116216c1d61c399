"""One request and its answer between the protocol and the application, counted in bytes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gridtide_server.errors import Overloaded
from gridtide_server.http.connections import Connection, Connections

# An answer is written in parts of this size, each taken before the next.
PART = 65_536


def bound(app: ASGIApp, table: Connections, connection: Connection) -> ASGIApp:
    """`app` as it answers on `connection`, its bodies counted in `table`."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(
                scope,
                _count_received(receive, table, connection),
                _send_in_parts(send, table, connection),
            )
        except asyncio.CancelledError:
            # The server ends and waited long enough: no failure of ours, so no traceback.
            connection.drop()
        finally:
            table.release(connection)
            table.queue(connection, -connection.unsent)

    return answer


def reset(transport: asyncio.Transport) -> None:
    """End a connection at once, and let go of what the kernel still holds for its client.

    Closed in the usual way, megabytes wait in the kernel for a client that takes nothing.
    """
    with contextlib.suppress(OSError, ValueError):
        descriptor = transport.get_extra_info("socket").fileno()
        # A copy, since the event loop's own socket objects refuse options.
        with socket.socket(fileno=os.dup(descriptor)) as copy:
            copy.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _count_received(receive: Receive, table: Connections, connection: Connection) -> Receive:
    async def counted() -> Message:
        message = await receive()
        if message["type"] == "http.request":
            table.hold(connection, len(message["body"]))
        if connection.overloaded:
            connection.overloaded = False
            raise Overloaded("too many bodies are being received; ask again in a while")
        return message

    return counted


def _send_in_parts(send: Send, table: Connections, connection: Connection) -> Send:
    async def parted(message: Message) -> None:
        body = message.get("body", b"")
        if message["type"] != "http.response.body" or len(body) <= PART:
            await send(message)
            return
        table.queue(connection, len(body))
        view, more = memoryview(body), message.get("more_body", False)
        for start in range(0, len(body), PART):
            part = bytes(view[start : start + PART])
            last = start + PART >= len(body)
            await send({**message, "body": part, "more_body": more or not last})
            table.queue(connection, -min(len(part), connection.unsent))

    return parted
