"""``python -m casesync_cli``: the same as the installed command (cli)."""

from casesync_cli.app import main

main()
