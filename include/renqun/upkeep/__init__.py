"""What keeps a home in order: backup and restore, expiry by rule, what late data would change."""
