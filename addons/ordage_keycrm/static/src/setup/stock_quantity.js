import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { RadioField, radioField } from "@web/views/fields/radio/radio_field";

/**
 * The quantity that is sent, as radio buttons that ask before another one while stock is sent.
 *
 * In a form of an account: `<field name="stock_quantity" widget="keycrm_stock_quantity"/>`
 */
export class KeycrmStockQuantity extends RadioField {
    setup() {
        super.setup();
        this.dialog = useService("dialog");
    }

    onChange(item) {
        const { record, name } = this.props;
        const { push_stock: isSent, [name]: saved } = record._values;
        super.onChange(item);
        if (!isSent || item[0] === saved) {
            return;
        }
        this.dialog.add(ConfirmationDialog, {
            title: _t("Send another quantity?"),
            body: _t("Compute all quantities again and send those that differ?"),
            confirmLabel: _t("Compute again"),
            confirm: () => {},
            cancel: () => record.update({ [name]: saved }),
        });
    }
}

registry.category("fields").add("keycrm_stock_quantity", {
    ...radioField,
    component: KeycrmStockQuantity,
});
