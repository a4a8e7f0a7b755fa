"""What dialects share that only ever report: there is nothing to ask and nothing to arm."""


class Mute:
    """The half of such a codec that says nothing."""

    def hello(self) -> bytes:
        """Nothing: there is no question that every such device answers."""
        return b""

    def arm(self) -> bytes:
        """Nothing: the device reports by itself, always."""
        return b""

    @property
    def present(self) -> bool:
        """Always: nothing can be asked."""
        return True

    @property
    def spent(self) -> bool:
        """Never: there is nothing to arm."""
        return False

    @property
    def note(self) -> str:
        """Nothing."""
        return ""
