{
    "name": "KeyCRM example: salesperson from the KeyCRM manager",
    "version": "19.0.1.0.0",
    "category": "Sales/Sales",
    "summary": "An example of extending the KeyCRM addon; copy it and rename it",
    "author": "Ordage",
    "license": "LGPL-3",
    "depends": ["ordage_keycrm"],
}
