import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { CopyButton } from "@web/core/copy_button/copy_button";
import { registry } from "@web/core/registry";
import {
    CopyClipboardCharField,
    copyClipboardCharField,
} from "@web/views/fields/copy_clipboard/copy_clipboard_field";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

/** A copy button that also works over plain HTTP, where browsers give scripts no clipboard. */
class KeycrmCopyButton extends CopyButton {
    async onClick() {
        if (navigator.clipboard) {
            return super.onClick();
        }
        const text = document.createElement("textarea");
        text.value = this.props.content;
        document.body.append(text);
        text.select();
        document.execCommand("copy");
        text.remove();
        this.button.el.focus();
        this.showTooltip();
    }
}

/** A text with a button that copies it and says so: Odoo's own shows an icon without any words. */
export class KeycrmCopy extends CopyClipboardCharField {
    static template = "ordage_keycrm.Copy";
    static components = { ...CopyClipboardCharField.components, CopyButton: KeycrmCopyButton };

    setup() {
        super.setup();
        this.copyText = _t("Copy");
    }
}

registry.category("fields").add("keycrm_copy", { ...copyClipboardCharField, component: KeycrmCopy });

/** A fixed text of a view, its attribute ``string``, with the same button. */
export class KeycrmCopyText extends Component {
    static template = "ordage_keycrm.CopyText";
    static components = { CopyButton: KeycrmCopyButton };
    static props = { ...standardWidgetProps, text: String };

    setup() {
        this.copyText = _t("Copy");
        this.successText = _t("Copied");
    }
}

registry.category("view_widgets").add("keycrm_copy_text", {
    component: KeycrmCopyText,
    extractProps: ({ attrs }) => ({ text: attrs.string }),
});
