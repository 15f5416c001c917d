"""The Freshsales API, classic and Suite: plain dicts in and out, errors that carry the decision.

`reader.Reader` and `writer.Writer` work over one `http.Http`, the only importer of httpx, and one `pacer.Pacer` shared
by all threads. Import the modules by name: whoever only needs an address or an error shall not load a network library.
"""
