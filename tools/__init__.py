"""What ``make`` calls: Odoo, its environment, the database server, the processes of a run."""
