{
    "name": "KeyCRM and Manufacturing",
    "version": "19.0.1.0.0",
    "category": "Sales/Sales",
    "summary": "The stock of kits in KeyCRM follows their components",
    "author": "Ordage",
    "license": "LGPL-3",
    "depends": ["ordage_keycrm", "mrp"],
    "auto_install": True,
}
