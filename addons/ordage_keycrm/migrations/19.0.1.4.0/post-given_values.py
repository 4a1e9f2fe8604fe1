"""What KeyCRM last had of a buyer is what it gave to the contact, as far as earlier versions stored it."""


def migrate(cr, version):
    cr.execute(
        """UPDATE keycrm_buyer buyer
              SET given = jsonb_build_object(
                      'name', coalesce(name, ''),
                      'phone', coalesce(phone, ''),
                      'email', coalesce(email, ''),
                      'parent_id', coalesce(
                          (SELECT to_jsonb(company.partner_id)
                             FROM keycrm_company company
                            WHERE company.id = buyer.keycrm_company_id),
                          '""'))
            WHERE given IS NULL AND keycrm_id <> 0"""
    )
    cr.execute(
        "UPDATE keycrm_company SET given = jsonb_build_object('name', name) WHERE given IS NULL"
    )
