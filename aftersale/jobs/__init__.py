"""Work that is no stage and takes longer than a page may: imports, exports, bulk, backtests. Runs on procrastinate."""
