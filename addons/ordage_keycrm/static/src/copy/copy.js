import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import {
    CopyClipboardCharField,
    copyClipboardCharField,
} from "@web/views/fields/copy_clipboard/copy_clipboard_field";

/** A text with a button that copies it and says so: Odoo's own shows an icon without any words. */
export class KeycrmCopy extends CopyClipboardCharField {
    static template = "ordage_keycrm.Copy";

    setup() {
        super.setup();
        this.copyText = _t("Copy");
    }
}

registry.category("fields").add("keycrm_copy", { ...copyClipboardCharField, component: KeycrmCopy });
