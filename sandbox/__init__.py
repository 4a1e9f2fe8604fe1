"""A local KeyCRM simulator: a real HTTP server to develop, test and demonstrate against.

Start it with ``python -m sandbox``; steer it with :class:`sandbox.control.Control`.
"""
