"""Headquarters' authority: keys, enrolment, lists in, releases out."""
