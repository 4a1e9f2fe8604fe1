{
    "name": "KeyCRM and Manufacturing",
    "version": "19.0.1.0.0",
    "category": "Sales/Sales",
    "summary": "Stock and cost of kits in KeyCRM, planned dates of manufacturing",
    "author": "Ordage",
    "maintainers": ["ordage"],
    "website": "https://ordage.example",
    "support": "support@ordage.example",
    "license": "LGPL-3",
    "images": ["static/description/banner.png"],
    "depends": ["ordage_keycrm", "sale_mrp"],
    "auto_install": True,
}
