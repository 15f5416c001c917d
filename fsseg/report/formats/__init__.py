"""The formats of a report: text for terminals, Markdown, HTML and CSV."""
