"""Cases that wait for people: counted, filtered, sorted, searched."""
