"""A local KeyCRM simulator: an HTTP server for development, tests and demos.

Start it with ``python -m sandbox``; control it with :class:`sandbox.control.Control`.
"""
