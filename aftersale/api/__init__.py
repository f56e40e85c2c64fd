"""The machine API under /api/: OpenAPI at /api/openapi.json, bearer tokens, the same limits as people."""
