"""Enquiries and leads: what a visitor asks, kept durably and once."""
