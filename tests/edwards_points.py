"""Arithmetic on edwards25519 as RFC 8032 section 5.1.4 writes it: slow and obvious.

What ``casesync.crypto.edwards`` decides with one X25519 exchange is decided here by multiplying
with the group order; tests hold the two equal and make odd points with it.
"""

from __future__ import annotations

from typing import NamedTuple

from casesync.crypto import edwards
from casesync.crypto.edwards import L, P

_D = -121665 * pow(121666, P - 2, P) % P


class Point(NamedTuple):
    """Extended coordinates: x = X/Z, y = Y/Z, T = XY/Z."""

    x: int
    y: int
    z: int
    t: int


IDENTITY = Point(0, 1, 1, 0)


def decode(encoded: bytes) -> Point:
    """The point of a canonical encoding."""
    found = edwards.decode(encoded)
    assert found is not None
    return Point(found.x, found.y, 1, found.x * found.y % P)


def encode(point: Point) -> bytes:
    """The canonical 32-byte encoding."""
    inverse = pow(point.z, -1, P)
    x, y = point.x * inverse % P, point.y * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def add(one: Point, other: Point) -> Point:
    """The sum of two points."""
    a = (one.y - one.x) * (other.y - other.x) % P
    b = (one.y + one.x) * (other.y + other.x) % P
    c = 2 * one.t * other.t * _D % P
    d = 2 * one.z * other.z % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return Point(e * f % P, g * h % P, f * g % P, e * h % P)


def multiply(scalar: int, point: Point) -> Point:
    """``scalar`` times a point."""
    result = IDENTITY
    for bit in bin(scalar)[2:]:
        result = add(result, result)
        if bit == "1":
            result = add(result, point)
    return result


def is_identity(point: Point) -> bool:
    """Whether this is the neutral element."""
    return point.x % P == 0 and (point.y - point.z) % P == 0


def has_prime_order(point: Point) -> bool:
    """Whether the point has order L: neither small nor mixed order."""
    return not is_identity(point) and is_identity(multiply(L, point))
