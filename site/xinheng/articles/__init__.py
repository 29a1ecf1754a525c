"""Articles: the library, what is related, search, feeds and reads."""
