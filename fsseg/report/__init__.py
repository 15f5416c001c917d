"""What became of a run in words: on the terminal, as JSON, CSV, HTML and Markdown; nothing is decided here."""
