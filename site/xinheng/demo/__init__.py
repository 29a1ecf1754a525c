"""A scratch data folder of invented leads of all kinds: to look at the desk with, and to learn it on."""
