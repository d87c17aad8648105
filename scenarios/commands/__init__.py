"""One file per command of the command line; see ``scenarios/cli.py`` for what each provides."""
