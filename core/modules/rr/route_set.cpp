#include "core/modules/rr/route_set.h"

namespace kahu::rr {

bool RouteSet::read(const sip::Message& message) {
    values_.clear();
    for (const sip::HeaderField* field = message.first(sip::HeaderId::route); field; field = message.next(field)) {
        sip::NameAddrList list(field->value);
        for (RouteValue value; values_.size() < kMostValues && list.next(value.address); value = {}) {
            value.field = field;
            sip::Bad bad;
            value.good = sip::parse_uri(value.address.uri, value.uri, bad) && value.uri.is_sip();
            values_.push_back(value);
        }
        if (list.bad() != nullptr) return false;
    }
    return true;
}

RouteValue* RouteSet::top() {
    for (RouteValue& value : values_)
        if (!value.taken) return &value;
    return nullptr;
}
RouteValue* RouteSet::last() {
    for (size_t i = values_.size(); i-- > 0;)
        if (!values_[i].taken) return &values_[i];
    return nullptr;
}

void RouteSet::apply(script::Run& run, std::string_view behind) const {
    const sip::Message& message = run.message();
    const sip::HeaderField* last_field = nullptr;
    for (size_t i = 0; i < values_.size();) {
        const sip::HeaderField* const field = values_[i].field;
        std::string rest;
        bool changed = false;
        for (; i < values_.size() && values_[i].field == field; ++i) {
            changed = changed || values_[i].taken;
            if (!values_[i].taken) rest.append(rest.empty() ? "" : ", ").append(values_[i].address.text);
        }
        last_field = field;
        if (!changed) continue;
        if (rest.empty()) run.edits.remove_header(message, *field);
        else run.edits.replace_part(message, field->value, rest);
    }
    if (behind.empty() || last_field == nullptr) return;
    run.edits.insert_after(message, *last_field, std::string("Route: ").append(behind).append("\r\n"));
}

}  // namespace kahu::rr
