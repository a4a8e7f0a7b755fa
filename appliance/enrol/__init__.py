"""Enrolment, as the box does its part: keys made here, a request, and headquarters' answer verified from its root."""
