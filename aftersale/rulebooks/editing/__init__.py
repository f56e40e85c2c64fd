"""A rulebook's text while people work on it: where its rules stand, rules as rows, what is wrong, what differs."""
