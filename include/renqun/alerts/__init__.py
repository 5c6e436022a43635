"""What an operator is told when something stops, is late or works again: one message a cause, in a channel's format."""
