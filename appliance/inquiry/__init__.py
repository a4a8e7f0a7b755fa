"""The life of a hit, from the possible match to the outcome: its moves as data, pure steps, and its words."""
