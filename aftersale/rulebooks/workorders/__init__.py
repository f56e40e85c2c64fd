"""The kinds of work orders that are shipped, and the departments that do them."""
