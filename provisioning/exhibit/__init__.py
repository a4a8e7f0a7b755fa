"""Exhibits for courts: one record, or that nothing was recorded; made, checked, and handed over."""
