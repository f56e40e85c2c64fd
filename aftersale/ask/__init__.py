"""The decision service: questions in the field's own words, answered by the books and formulas of the product."""
