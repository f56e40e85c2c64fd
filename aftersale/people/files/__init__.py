"""导入: a merchant's export through the browser – looked at, explained, tried, taken in."""
