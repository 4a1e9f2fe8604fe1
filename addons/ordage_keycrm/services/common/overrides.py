def is_overridden(records, method, *modules):
    """Return whether a module other than those of Odoo that are known defines a method of a model.

    Where the addon does the work of such a method for many records at once, the other module's part would
    be left out.

    :param records: records of the model, or the empty model
    :param method: name of the method
    :param modules: names of the modules whose definitions are known
    """
    return any(
        method in vars(defined) and vars(defined).get("_module") not in modules
        for defined in type(records).__mro__
    )
