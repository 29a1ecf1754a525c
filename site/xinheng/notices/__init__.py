"""Notices to staff: written with what they tell of, sent by a worker until they have left."""
