"""What is coming, and what would have been: rulebooks tried on history.

    engine = Duck(path)                                    or Spark(path)
    source = source_of(engine, book, at=None)              columns → facts; at: one moment for all rows
    ruling = Ruling(book, resolve_settings(book, {...}))   a version of a book
    backtest(engine, source, ruling)                       per rule: cases, money, people's minutes
    compare(engine, source, old, new)                      what another version decides differently
    overlaps(engine, source, ruling)                       which later rules would have spoken too
    sweep(engine, source, ruling, name, values)            one setting, many values, one pass

`compare` asks nothing but an engine, so drafts on live cases can be compared by it as well.
"""
