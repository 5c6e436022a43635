"""What an operator sees of a shop: its runs, what is late, metrics, lineage. Nothing here changes what it looks at."""
