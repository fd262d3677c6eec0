"""A bureau's quarter: what its schools returned, summed up, sealed and sent to the level above."""
