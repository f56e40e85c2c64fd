"""Who gets in and what they may do: signing in with a second step, invitations, members of a shop and their rights."""

from aftersale.people.accounts.made import Rights, ensure_user

__all__ = ["Rights", "ensure_user"]
