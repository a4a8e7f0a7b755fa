"""Exhibits for courts: one record, or that nothing was recorded; and headquarters' own log of who opened what."""
