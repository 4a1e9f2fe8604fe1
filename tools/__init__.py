"""The commands of ``make``, with Odoo, environments, databases and processes."""
