"""Whether a sealed file is genuine: its seal, its data, its score worked out again, its pages drawn again."""
