"""Forms as data: a TOML declaration, read and checked, becomes a WTForms class."""
