"""Who may open which page, as the views of the desk name it."""

from aftersale.rights import RIGHTS, needs, shops_with

__all__ = ["RIGHTS", "needs", "shops_with"]
