"""Who goes when one place too many is asked for: nobody keeps another out by taking many."""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

One = TypeVar("One")


def who_goes(crowd: Sequence[One], holder: Callable[[One], Hashable], *, newcomer: One | None = None) -> One | None:
    """The first of whoever holds most places; None of nobody.

    Args:
        crowd: Who may go, in the order in which those of one holder should.
        holder: Whose place it is: an address, a certificate.
        newcomer: Counts with its holder's, and stays.
    """
    held = Counter(map(holder, crowd if newcomer is None else (*crowd, newcomer)))
    return max(crowd, key=lambda one: held[holder(one)], default=None)
