"""The subcommands the service adds to ``gridtide``."""
