"""Attribution that SQL cannot express."""
