"""A return from draft to decision: preflight, versions, causes, what the bureau said, what came since."""
