"""What customers are worth from now on: pure functions of counts and amounts, without a database and without a clock."""
