"""What content is packed with, told by how it begins: gzip, zstd, bzip2 and xz are unpacked as they are read."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import zstandard

CHUNK = 1 << 18
GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
LAYERS = 3
"""Downloaders add a layer or take one off, as archives are served with `Content-Encoding: gzip`; none adds more."""
_ZSTD_STEP = 1 << 8
"""Bytes of zstd that are unpacked at a time: they may come to 8 MiB, and a decompressor can't be asked for less."""
_ZSTD_WINDOW = 1 << 27

Cut = Callable[[str], None]


def packing_of(head: bytes) -> str:
    """The ending that files packed as `head` begins have, `gz` for one; empty where it isn't packed."""
    return next((name for name, (magic, _) in _PACKINGS.items() if head.startswith(magic)), "")


def unpacked(name: str, blocks: Iterable[bytes], cut: Cut) -> Iterator[bytes]:
    """The content of what is packed so, in blocks of bounded size however well it was packed.

    Where it is damaged or ends too early, all that came before is given, `cut` is told why, and nothing follows.
    """
    return _PACKINGS[name][1](iter(blocks), cut)


def inflate(blocks: Iterator[bytes], cut: Cut) -> Iterator[bytes]:
    """The content of gzip members, one after another; zero padding after a member is allowed."""
    member = zlib.decompressobj(31)
    for data in blocks:
        while data:
            if member.eof:
                data = data.lstrip(b"\0")
                if not data:
                    break
                member = zlib.decompressobj(31)
            before = member.copy()
            try:
                content = member.decompress(data, CHUNK)
            except zlib.error as error:
                yield _before_fault(before, data)
                return cut(f"the gzip data is damaged ({error})")
            data = member.unused_data if member.eof else member.unconsumed_tail
            if content:
                yield content
    if not member.eof:
        yield member.flush()
        cut("the gzip data ends too early")


def _before_fault(member: zlib._Decompress, data: bytes) -> bytes:
    """What zlib throws away of a failing call: all that the bytes before the damaged one unpack to."""
    content, size = bytearray(), len(data)
    while size:
        try:
            ahead = member.copy()  # a call that fails leaves its object unusable
            content += ahead.decompress(data[:size])
            member, data = ahead, data[size:]
        except zlib.error:
            size //= 2
        size = min(size, len(data))
    return bytes(content)


class _Decompressor(Protocol):
    """What bz2 and lzma have in common."""

    @property
    def eof(self) -> bool:
        """Whether the stream has come to its end."""

    @property
    def needs_input(self) -> bool:
        """Whether there is nothing more to give without more bytes."""

    @property
    def unused_data(self) -> bytes:
        """What came after the stream's end."""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Content, at most so much."""


def _streams(name: str, make: Callable[[], _Decompressor]) -> Callable[[Iterator[bytes], Cut], Iterator[bytes]]:
    def unpack(blocks: Iterator[bytes], cut: Cut) -> Iterator[bytes]:
        stream = make()
        for data in blocks:
            while data or not (stream.eof or stream.needs_input):
                if stream.eof:
                    data = data.lstrip(b"\0")
                    if not data:
                        break
                    stream = make()
                try:
                    content = stream.decompress(data, CHUNK)
                except (OSError, lzma.LZMAError, EOFError) as error:
                    return cut(f"the {name} data is damaged ({error})")
                data = stream.unused_data if stream.eof else b""
                if content:
                    yield content
        if not stream.eof:
            cut(f"the {name} data ends too early")

    return unpack


def _zstd(blocks: Iterator[bytes], cut: Cut) -> Iterator[bytes]:
    """The content of zstd frames, one after another."""
    make = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj
    frame, held, size, begun = make(), list[bytes](), 0, True
    for block in blocks:
        for at in range(0, len(block), _ZSTD_STEP):
            data = block[at : at + _ZSTD_STEP]
            while data:
                if frame.eof:
                    frame = make()
                try:
                    content = frame.decompress(data)
                except zstandard.ZstdError as error:
                    yield b"".join(held)
                    return cut(f"the zstd data is damaged ({error})")
                data, begun = frame.unused_data if frame.eof else b"", not frame.eof
                held.append(content)
                size += len(content)
            if size >= CHUNK:
                yield b"".join(held)
                held, size = [], 0
    if size:
        yield b"".join(held)
    if begun:
        cut("the zstd data ends too early")


_PACKINGS: dict[str, tuple[bytes, Callable[[Iterator[bytes], Cut], Iterator[bytes]]]] = {
    "gz": (GZIP, inflate),
    "zst": (ZSTD, _zstd),
    "bz2": (b"BZh", _streams("bzip2", bz2.BZ2Decompressor)),
    "xz": (b"\xfd7zXZ\x00", _streams("xz", lambda: lzma.LZMADecompressor(memlimit=1 << 28))),
}
"""A new way of packing is one more row."""
