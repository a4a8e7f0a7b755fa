"""What a revoked box's keys still prove: what headquarters' own signatures show to have existed before, and no more.

The claimed time of a statement says nothing here: whoever has the keys may claim any. So an entry is good when a
checkpoint that covers it was cosigned, or a receipt at or above it given, before the revocation.
"""

from provisioning.audit.chronology import moment
from provisioning.audit.log import Log, Problem
from provisioning.audit.testimony import Testimony


def after_revocation(log: Log, size: int, testimony: Testimony) -> list[Problem]:
    """Name the entries of a revoked box's log, of `size` entries, that nothing shows to be from before; [] for none."""
    if not log.box.revoked:
        return []
    good = testimony.shown_by(log.box.revoked_ms)
    if good >= size:
        return []
    words = (
        f"signed by a revoked key: box {log.box.serial} is revoked since {moment(log.box.revoked_ms)}, and nothing "
        f"that headquarters signed by then covers entries {good} to {size - 1}; they prove nothing, those before hold"
    )
    return [Problem(origin=log.origin, index=good, words=words)]
