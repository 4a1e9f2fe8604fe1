{
    "name": "Fault points of the tests",
    "version": "19.0.1.0.0",
    "author": "Ordage",
    "license": "LGPL-3",
    "depends": ["base"],
    "installable": False,
}
