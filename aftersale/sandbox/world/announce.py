"""What the world tells the outside; the push builds on it, and silence is the default."""

from typing import Protocol

from aftersale.sandbox.world.model import Parcel, Refund, Trade


class Announcer(Protocol):
    """Told by the world at the very moment of each change."""

    def refund(self, topic: str, refund: Refund, at_ms: int) -> None: ...

    def trade(self, topic: str, trade: Trade, at_ms: int) -> None: ...

    def parcel(self, shop: str, parcel: Parcel) -> None: ...

    def document(self, shop: str, document: dict[str, object]) -> None: ...


class Silence:
    """Nobody listens."""

    def refund(self, topic: str, refund: Refund, at_ms: int) -> None:
        """Say nothing."""

    def trade(self, topic: str, trade: Trade, at_ms: int) -> None:
        """Say nothing."""

    def parcel(self, shop: str, parcel: Parcel) -> None:
        """Say nothing."""

    def document(self, shop: str, document: dict[str, object]) -> None:
        """Say nothing."""
