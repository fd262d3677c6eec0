"""From the outbox to a receipt, and the door for what others send."""
