"""How are we doing? Boards over the record."""
