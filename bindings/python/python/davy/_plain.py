"""What `json` does not know: instants, and NumPy's numbers."""

from __future__ import annotations

from typing import Any


def plain(value: Any) -> Any:
    """A value that JSON has, for one that it has not."""
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"`{type(value).__qualname__}` has no JSON")
