"""What the record key reads of pulled logs: opened records, found, counted and replayed."""
