"""The worker processes that draw: their pool, their fonts, the last touches to a PDF."""
