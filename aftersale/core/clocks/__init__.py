"""The clock book: what is due when, what burns next, and what missing it costs (R-012, R-349, annex 0).

- `calendar`: when a shop works; `add_working_time(start, duration, calendar)` and its inverse.
- `clock`: one clock: `due`, `is_over`, `Clock`, `Pause`.
- `reading`: `clocks(book, facts, settings, calendar, now, pauses)` reads the book over one case's facts.
- `burning`: `burns_next`, `alerts`, `next_change`, `squeezed` over the clocks of one case or of many.
- `windows`: counting in rolling days and in calendar days (annex 3 no. 29).
- `formulas`: the same arithmetic for questions that give ages instead of moments.

Moments are aware and come in as arguments; every result is in UTC, so that no viewer's zone changes it.
"""
