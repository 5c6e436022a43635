"""What customers are worth from now on: pure functions of counts and amounts, no database, no clock."""
