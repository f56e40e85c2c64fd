"""One act on many cases: chosen, previewed, confirmed once, done by a job."""
