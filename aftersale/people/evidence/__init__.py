"""Evidence of a case: what lacks, what is at hand, handed in safely and made ready for the platform."""
