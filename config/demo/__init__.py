"""The demo county: a made-up bureau and its schools, lived through day by day by the actions that people use."""
