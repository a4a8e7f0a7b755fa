"""Landlink off the box: the technician's bench and headquarters."""
