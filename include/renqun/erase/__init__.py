"""Erasing a person: from raw, the warehouse, everything published, ledgers and logs, with a proof that nothing is left."""
