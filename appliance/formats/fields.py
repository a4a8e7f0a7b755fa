"""Bounded fields that several formats share."""

from typing import Annotated

from msgspec import Meta

OriginText = Annotated[str, Meta(pattern=r"\A[a-z0-9.-]{1,64}/[a-z0-9.-]{1,64}\Z")]
"""Name of a log: headquarters' domain, `/`, the box's serial in lower case, `.`, a number counted up."""

Serial = Annotated[str, Meta(pattern=r"\A[A-Z0-9][A-Z0-9-]{1,30}\Z")]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
