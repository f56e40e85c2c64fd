"""How fast the real paths are, as ratios to anchors measured between them in the same run (docs/performance.md)."""
