"""A backup as one file, made while the site runs; and the way back."""
