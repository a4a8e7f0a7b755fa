"""Stage 3 of 8: examine - is the document what it says it is? Findings, each with its reason."""
