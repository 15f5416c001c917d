"""Parquet, as data lakes and unloads have it: read by batches, and by the names of the columns."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import repeat
from typing import Any, Final

from fsseg.figures import counted
from fsseg.segment.block_file import spooled
from fsseg.segment.tables.csv_rows import Fault
from fsseg.segment.tables.table import UnusableTable

MAGIC = b"PAR1"
_AT_ONCE = 1_000
"""Rows that are turned into Python's values at a time."""
_NOT_UTF8 = object()
_DIGITS = ("milliseconds", "microseconds")
_PLAIN = frozenset({"string", "large_string", "int64", "int32", "bool"})
"""Types whose values are JSON's."""


class ParquetRows:
    """The columns and rows of a Parquet file at `path`, or whose content are the `blocks`.

    Raises `UnusableTable` where it can't be opened, and OSError where it can't be read on.
    """

    def __init__(self, blocks: Iterator[bytes], path: str | None = None) -> None:
        try:
            from pyarrow import ArrowException, parquet
        except ImportError:
            raise UnusableTable("a Parquet file, which takes the extra parquet: pip install 'fsseg[parquet]'") from None
        self._errors = ArrowException
        self._spool = (
            None
            if path
            else spooled(blocks, UnusableTable("a Parquet file that is too large to be unpacked: unpack it first"))
        )
        try:
            self._file = parquet.ParquetFile(path or self._spool, memory_map=False, coerce_int96_timestamp_unit="us")
            self.columns: list[str] = list(self._file.schema_arrow.names)
        except (ArrowException, OSError, ValueError) as error:
            self.close()
            raise UnusableTable(f"a damaged Parquet file: {_first_line(error)}") from None

    def close(self) -> None:
        """Give the file back."""
        if hasattr(self, "_file"):
            self._file.close()
        if self._spool:
            self._spool.close()

    def rows(
        self, used: Collection[int], start: int = 0, end: int | None = None
    ) -> Iterator[tuple[Sequence[Any] | Fault, int]]:
        """The rows with their numbers, of the groups of rows that begin within these bytes; what is null is empty.

        They have only the cells of the columns that are used, until `whole` gives them the others. Of a group that is
        damaged, what comes before is given, and one fault for the rest.
        """
        number = 0
        with closing(self):
            for group, count in self._groups(start, end):
                last = number + count
                try:
                    for batch in self._file.iter_batches(_AT_ONCE, row_groups=[group], use_threads=False):
                        for row in self._rows_of(batch, used):
                            number += 1
                            yield row, number
                except (self._errors, OSError, ValueError, OverflowError) as error:
                    told = f"{counted(last - number, 'row is', 'rows are')} damaged, up to here: {_first_line(error)}"
                    yield Fault("truncated", told, ""), last
                number = last

    @property
    def is_divided(self) -> bool:
        """Whether it has groups of rows that can be read apart."""
        return bool(self._file.metadata.num_row_groups > 1)

    def _groups(self, start: int, end: int | None) -> Iterator[tuple[int, int]]:
        """The groups that begin within [start, end), each with the number of its rows."""
        for at in range(self._file.metadata.num_row_groups):
            group = self._file.metadata.row_group(at)
            column = group.column(0)
            begin = column.dictionary_page_offset or column.data_page_offset
            if start <= begin and (end is None or begin < end):
                yield at, group.num_rows

    def _rows_of(self, batch: Any, used: Collection[int]) -> Iterable[Sequence[Any] | Fault]:
        left = [at for at in range(batch.num_columns) if at not in used]
        try:
            batch.validate(full=True)
        except self._errors:
            left = []
        columns: list[Iterable[Any]] = [repeat("") if at in left else _cells(column) for at, column in enumerate(batch)]
        if left:
            columns[left[0]] = zip(repeat(batch), range(batch.num_rows), strict=False)
            return zip(*columns, strict=False)
        rows = zip(*columns, strict=True)
        return map(_checked, rows) if any(isinstance(column, _Doubtful) for column in columns) else rows


def whole(row: Sequence[Any]) -> Sequence[Any]:
    """The row with the cells of columns that weren't used, too."""
    batch, at = next((cell for cell in row if isinstance(cell, tuple)), (None, 0))
    return row if batch is None else [_cells(column)[0] for column in batch.slice(at, 1)]


def _checked(row: Sequence[Any]) -> Sequence[Any] | Fault:
    return Fault("not_utf8", "the row is not UTF-8", "") if any(cell is _NOT_UTF8 for cell in row) else row


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


class _Doubtful(list[Any]):
    """Cells of which some are no text."""


def _cells(column: Any) -> Sequence[Any]:
    kind = str(column.type)
    if kind in _PLAIN:
        try:
            values = column.to_pylist()
        except UnicodeDecodeError:
            return _Doubtful(_text(value) for value in column.cast("binary").to_pylist())
        return ["" if value is None else value for value in values] if column.null_count else values
    # Python's times have no nanoseconds.
    rough = _without_nanoseconds(column.type)
    column = column if rough == column.type else column.cast(rough, safe=False)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Encountered key")  # in a map that has it twice: the last one counts
        try:
            values = column.to_pylist(maps_as_pydicts="lossy" if "map<" in kind else None)  # None is ten times as fast
        except (ValueError, OverflowError):  # such as a date of the year 300,000
            values = [_value_of(cell) for cell in column]
    convert = _time if kind.startswith("timestamp") else _converted
    return ["" if value is None else convert(value) for value in values]


def _value_of(cell: Any) -> Any:
    try:
        return cell.as_py(maps_as_pydicts="lossy")
    except (ValueError, OverflowError):
        return None


def _without_nanoseconds(kind: Any) -> Any:
    """The same type, with microseconds where it has nanoseconds."""
    import pyarrow

    types = pyarrow.types
    if types.is_timestamp(kind) and kind.unit == "ns":
        return pyarrow.timestamp("us", kind.tz)
    if types.is_time64(kind):
        return pyarrow.time64("us")
    if types.is_duration(kind) and kind.unit == "ns":
        return pyarrow.duration("us")
    if types.is_struct(kind):
        return pyarrow.struct([field.with_type(_without_nanoseconds(field.type)) for field in kind])
    if types.is_map(kind):
        return pyarrow.map_(_without_nanoseconds(kind.key_type), _without_nanoseconds(kind.item_type))
    if types.is_large_list(kind) or types.is_list(kind):
        make = pyarrow.list_ if types.is_list(kind) else pyarrow.large_list
        return make(kind.value_field.with_type(_without_nanoseconds(kind.value_type)))
    return kind


def _converted(value: Any) -> Any:
    """A value as JSON would have it; a decimal is a number where that is exact."""
    return _CONVERSIONS.get(value.__class__, str)(value)


def _text(value: bytes | None) -> Any:
    try:
        return "" if value is None else value.decode()
    except UnicodeDecodeError:
        return _NOT_UTF8


def _time(value: datetime) -> str:
    if value.tzinfo is None or value.tzinfo == UTC:
        return f"{value.replace(tzinfo=None).isoformat(timespec=_DIGITS[value.microsecond % 1_000 > 0])}Z"
    return value.isoformat()


def _number(value: Decimal) -> Any:
    if not value.is_finite():
        return ""
    if value == value.to_integral_value():
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else str(value.normalize())


def _same(value: Any) -> Any:
    return value


_JSON: Final = frozenset({str, int, bool})
_CONVERSIONS: dict[type, Callable[[Any], Any]] = {
    **dict.fromkeys((str, int, bool, type(None)), _same),
    datetime: _time,
    date: date.isoformat,
    Decimal: _number,
    float: lambda value: value if math.isfinite(value) else "",
    bytes: lambda value: value.decode("utf-8", "replace"),
    dict: lambda value: {
        name: inner if inner.__class__ in _JSON else _converted(inner)
        for name, inner in value.items()
        if inner is not None
    },
    list: lambda value: [_converted(inner) for inner in value],
    timedelta: timedelta.total_seconds,
}
