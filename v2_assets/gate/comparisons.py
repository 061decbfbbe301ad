"""What the comparisons found, in the gate's words: which reasons excuse a difference, and which values must be exact.

Not here: the comparison itself (`v2_assets.compare`).
"""
