"""Facts as JSON that every reader accepts."""

import json
from collections.abc import Mapping, Sequence
from typing import Any


def as_json(facts: Mapping[str, Any] | Sequence[Any]) -> str:
    r"""Indented JSON of numbers, words, lists, mappings and arrays; what is not finite becomes null.

    >>> as_json([float("nan"), 1])
    '[\n  null,\n  1\n]'
    """
    return json.dumps(plain(facts), indent=2, allow_nan=False)


def plain(value: Any) -> Any:
    """The same value in types that JSON knows."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value if isinstance(value, str | int | float | bool | type(None)) else str(value)
