"""What stands for a missing value: the words that pandas, R, SQL, Excel and people use."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


MISSING = (
    _words("NA N/A n/a na N.A. n.a. NaN nan NAN Nan -nan -NaN null NULL Null none None NONE nil ? - -- . .. : … — –")
    | _words("#N/A #NA #N/A! <NA> NaT \\N missing Missing MISSING")
    | {""}
)

_FOLDED = frozenset(word.casefold() for word in MISSING)


def is_missing(word: str) -> bool:
    """Whether a word, in whatever letters, says that a value is missing.

    >>> is_missing("N/a"), is_missing("0")
    (True, False)
    """
    return word.strip().casefold() in _FOLDED
