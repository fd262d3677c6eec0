"""The subcommands of `safe-campus`: one module each, found by its file name and imported when it is used.

A module holds `command`, a click command. `import_.py` is the command `import`: the underscore keeps clear of
Python's keyword. A command that is not built has no file, and so is not listed by `--help`.
"""
