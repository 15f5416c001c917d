"""An index on disk: what belongs to a key, of millions of keys, with a few bytes of memory for each."""

from __future__ import annotations

import tempfile
import weakref
from array import array
from bisect import bisect_left
from collections.abc import Iterator

import orjson
from xxhash import xxh3_64_intdigest

_BUCKET_BITS = 12
_PLACE_BITS = 40
"""A number in a bucket is the rest of a key's hash and, in these bits, the place in the file."""
_PLACE = (1 << _PLACE_BITS) - 1
_REST = (1 << 64 - _PLACE_BITS) - 1


class DiskIndex:
    """Takes values by their keys; once one was asked for, nothing more may be added.

    The values are in a file that has no name and goes with the index.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # it is closed with the index
        weakref.finalize(self, self._file.close)
        self._end = 0
        self._buckets = [array("Q") for _ in range(1 << _BUCKET_BITS)]
        self._is_sorted = False

    def add(self, key: str, *values: str) -> None:
        """Keep these values of a key, after those that it has."""
        bucket, rest = self._place(key)
        self._buckets[bucket].append(rest << _PLACE_BITS | self._end)
        self._end += self._file.write(orjson.dumps([key, *values], option=orjson.OPT_APPEND_NEWLINE))

    def get(self, key: str) -> Iterator[list[str]]:
        """The values of a key, in the order in which they were added."""
        if not self._is_sorted:
            self._buckets = [array("Q", sorted(bucket)) for bucket in self._buckets]
            self._is_sorted = True
        at, rest = self._place(key)
        bucket = self._buckets[at]
        for number in bucket[bisect_left(bucket, rest << _PLACE_BITS) :]:
            if number >> _PLACE_BITS != rest:
                return
            self._file.seek(number & _PLACE)
            found, *values = orjson.loads(self._file.readline())
            if found == key:
                yield values

    @staticmethod
    def _place(key: str) -> tuple[int, int]:
        """The bucket of a key, and what tells it from most others there."""
        hash = xxh3_64_intdigest(key.encode("utf-8", "surrogatepass"))
        return hash >> 64 - _BUCKET_BITS, hash & _REST
