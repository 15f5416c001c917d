"""Outcomes in, words out: terminal, JSON, CSV, HTML and Markdown. No business rules live here."""
