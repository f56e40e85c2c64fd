"""PostgreSQL: the embedded server, connections, roles and named SQL."""


class Refused(Exception):
    """PostgreSQL cannot be used as it is. `why` is one line for a person: what, where, what to do."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code
        self.why = why
