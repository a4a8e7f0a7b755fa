"""Exhibits: one folder for a court about one record, or about nothing having been recorded; and headquarters' custody."""
