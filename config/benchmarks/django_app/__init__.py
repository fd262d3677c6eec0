"""A bare Django application with one form: what the save bench is measured beside."""
