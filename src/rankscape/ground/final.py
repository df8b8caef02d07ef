"""Abstract or final, never in between: a class that settings are made of is not subclassed into silence."""

from inspect import isabstract
from typing import TYPE_CHECKING, Any

from rankscape.errors import FinalClassError

if TYPE_CHECKING:
    from typing import final as final
else:

    def final(cls: type) -> type:
        """Refuse subclasses where they are defined.

        An engine knows the exact classes that it was written for. It would run a subclass as its parent, and what the
        subclass changes would be lost without a word.

        Examples
        --------
        >>> @final
        ... class Still: ...
        >>> class Moving(Still): ...
        Traceback (most recent call last):
        ...
        rankscape.errors.FinalClassError: Still is final: a subclass would run as Still itself. ...
        """

        def refuse(subclass: type, **options: Any) -> None:
            del subclass, options
            base = next((b for b in cls.__mro__[1:] if b.__name__.startswith("Abstract") or isabstract(b)), None)
            instead = "Hold one as a field instead" if base is None else f"Subclass {base.__name__} instead"
            raise FinalClassError(
                f"{cls.__name__} is final: a subclass would run as {cls.__name__} itself. {instead} "
                "(docs/extending.md)."
            )

        cls.__init_subclass__ = classmethod(refuse)  # pyright: ignore
        return cls
