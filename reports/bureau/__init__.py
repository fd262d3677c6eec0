"""A bureau's own desk: the board of its schools, adjustments and appeals, reminders."""
