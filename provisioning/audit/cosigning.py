"""Headquarters' cosignature on what this desk has pulled and found right, for a box that no collector reaches.

A cosignature says: of this log, headquarters has seen every entry up to here, and this tree only. So it is given to a
copy that held without a problem, by one pull of a log at a time, and kept before anybody is given it. The collector
gives the same for what it takes in; what the two have seen is compared at the next pull from either.
"""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from appliance.formats.note import Ed25519Cosigner, MlDsa44Cosigner, add_signatures
from appliance.formats.release import COSIGN_ED25519, COSIGN_MLDSA44
from provisioning.audit.store import PulledLog
from provisioning.authority.home import Home
from provisioning.authority.keys import cosigner_name
from provisioning.authority.role_keys import mldsa44_role_key, role_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Both cosigning keys of headquarters, at this desk."""

    name: str
    ed25519: Ed25519PrivateKey
    mldsa44: MLDSA44PrivateKey

    @classmethod
    def of(cls, home: Home) -> "Desk | None":
        """The desk of a home; None where the keys are kept elsewhere. Raises ConfigError when one cannot be read."""
        paths = home.key(COSIGN_ED25519), home.key(COSIGN_MLDSA44)
        if not all(path.exists() for path in paths):
            return None
        return cls(
            name=cosigner_name(home.settings.domain),
            ed25519=role_key(home, COSIGN_ED25519),
            mldsa44=mldsa44_role_key(home),
        )

    def cosign(self, kept: PulledLog, *, at_ms: int) -> bytes:
        """The checkpoint that is kept, with both cosignatures; those that it has are left as they are.

        Args:
            kept: A copy that held.
            at_ms: Headquarters' time, milliseconds since 1970.

        Raises:
            Untrusted, Malformed: What is kept is no checkpoint of this log.
            StorageFull, StorageFault: It could not be kept, and is not to be given out.
        """
        at_s = at_ms // 1_000
        signers = (
            Ed25519Cosigner(self.name, self.ed25519, at_s=at_s),
            MlDsa44Cosigner(self.name, self.mldsa44, at_s=at_s),
        )
        _, opened = kept.open_checkpoint(*(signer.verifier for signer in signers))
        there = {signature.verifier for signature in opened.signatures}
        lacking = [signer for signer in signers if signer.verifier not in there]
        note = kept.note()
        assert note is not None, "it has just been opened"
        if not lacking:
            return note
        cosigned = add_signatures(note, lacking)
        kept.keep_cosigned(cosigned, at_ms=at_ms)
        return cosigned
