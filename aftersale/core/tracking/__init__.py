"""Reads a courier's trace as a careful 客服 does: what is the state of the parcel, and who signed (docs/tracking.md).

`trace` orders the events, `wording` says what each text means by the lexicon (rulebooks/tracking.yaml), `journey`
folds the meanings over the route, `reading` is the door.
"""
