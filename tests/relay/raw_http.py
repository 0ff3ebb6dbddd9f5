"""Bytes to a relay and back, without a client library's good manners."""

from __future__ import annotations

import socket
from typing import NamedTuple
from urllib.parse import urlsplit


class RawAnswer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


def connect(url: str) -> socket.socket:
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=20)


def request_bytes(
    method: str, path: str, body: bytes, headers: dict[str, str], *, length: int | None = None
) -> bytes:
    lines = [f"{method} {path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if "Transfer-Encoding" not in headers:
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def send(url: str, method: str, path: str, body: bytes, headers: dict[str, str]) -> RawAnswer:
    with connect(url) as connection:
        connection.sendall(request_bytes(method, path, body, headers))
        return read_answer(connection)


def read_answer(connection: socket.socket) -> RawAnswer:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            raise ConnectionError("closed before an answer")
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    while len(body) < int(headers.get("content-length", "0")):
        piece = connection.recv(65536)
        if not piece:
            break
        body += piece
    return RawAnswer(int(first.split()[1]), headers, body)
