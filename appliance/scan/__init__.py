"""Stage 1 of 8: scan - what the devices gave, or an officer typed, becomes a DocumentReading."""
