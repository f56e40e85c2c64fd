"""A merchant's file that came through the browser: looked at, then taken in. Both are jobs."""
