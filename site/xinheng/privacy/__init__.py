"""What a person may ask of us about their own data, and what is done about it."""
