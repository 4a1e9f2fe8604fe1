{
    "name": "Baselines of the benchmarks",
    "summary": "The same work as bare as Odoo can do it. For measuring, never for use",
    "version": "19.0.1.0.0",
    "author": "Ordage",
    "license": "LGPL-3",
    "depends": ["sale_stock"],
    "data": ["security/ir.model.access.csv", "data/ir_cron.xml"],
}
