"""Keys and signatures: how a sealed file is built, whose seal it bears, what is inside it."""
