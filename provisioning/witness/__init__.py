"""Witnesses: their policy, what is asked of one (C2SP tlog-witness), and headquarters as one (audit/README.md)."""
