"""Where staff work: signing in, leads, people, the audit. Only here does staff meet Flask."""
