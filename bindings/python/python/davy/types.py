"""The types of arguments and answers, for annotations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol, TypeAlias, Union

Verdict: TypeAlias = Literal["proceed", "hold", "abort", "rollback"]
"""What the host may do."""

Hold: TypeAlias = Literal["waiting", "blocked", "blind"]
"""Why a release holds."""

Cohort: TypeAlias = Literal["canary", "baseline"]
"""Whose traffic."""

Json: TypeAlias = Union[Mapping[str, Any], str, bytes, bytearray, memoryview]
"""JSON, as plain objects or as text."""

Moment: TypeAlias = Union[datetime, str]
"""An instant: a `datetime` with a zone, or RFC 3339 text."""


class ArrowArray(Protocol):
    """What hands out an array or a record batch through Arrow's PyCapsule interface."""

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]: ...


class ArrowStream(Protocol):
    """What hands out a stream of them, such as a table."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


class Array(Protocol):
    """A NumPy array, or what gives one with `to_numpy`."""

    def __len__(self) -> int: ...


Numbers: TypeAlias = Union[Sequence[Union[int, None]], Sequence[Union[float, None]], Array, ArrowArray, ArrowStream]
"""A column of numbers; a missing one is `None` or null."""

Moments: TypeAlias = Union[Sequence[int], Sequence[Moment], Array, ArrowArray, ArrowStream]
"""A column of instants; whole numbers are milliseconds since 1970 UTC."""
