"""Erasing a person: from raw, the warehouse, what is published, ledgers and logs, with a proof that nothing is left."""
