"""What the certificates of all estimators share: numbers that were measured, and whether they say trust it."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, ClassVar, Self

from rankscape.ground import html


class AbstractCertificate(ABC):
    """Subclass it as a frozen dataclass of what was measured, whose last field is `warnings`.

    Attributes
    ----------
    warnings : tuple of str
        Reasons not to trust the result, in words; none when empty.
    """

    subject: ClassVar[str]
    """What is judged, in one word."""

    warnings: tuple[str, ...]

    @property
    @abstractmethod
    def evidence(self) -> str:
        """The numbers that matter most, in words."""

    @property
    def trusted(self) -> bool:
        """Whether there is nothing to warn of."""
        return not self.warnings

    def judged(self, doubts: Iterable[str]) -> Self:
        """The same numbers with these reasons not to trust them."""
        changed: Any = self
        return replace(changed, warnings=tuple(doubts))

    def _repr_html_(self) -> str:
        words = self.warnings or (f"Nothing speaks against this {self.subject}.",)
        rows = [*(("", word) for word in words), ("measured", self.evidence)]
        return html.facts(f"Certificate of the {self.subject}", rows)

    def __str__(self) -> str:
        return f"{' '.join(self.warnings) or f'Nothing speaks against this {self.subject}.'} ({self.evidence}.)"
