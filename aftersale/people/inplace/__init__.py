"""Acts on a row of the queue without leaving it."""
