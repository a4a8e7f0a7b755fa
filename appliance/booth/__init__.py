"""The booth: one traveller, from the document to the outcome (README.md); stage 7 of 8, show, is its own."""
