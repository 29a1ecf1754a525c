"""Changing the keys: all that is sealed is sealed anew, and found by new indexes."""
