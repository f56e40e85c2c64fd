"""Who may do what up to which amount: the books' limits, compiled into the database that holds the money."""
