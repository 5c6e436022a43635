"""From audited marts to immutable versions that a stranger can verify offline."""
