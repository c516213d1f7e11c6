#include "core/modules/usrloc/contact.h"

#include <new>

#include "mem/heap.h"

namespace kahu::usrloc {

Text Fields::too_long() const {
    for (size_t i = 0; i < kTexts; ++i)
        if (texts[i].size() > kMostBytes[i]) return static_cast<Text>(i);
    return Text::count_;
}

Fields Contact::fields() const {
    Fields out;
    static_cast<Numbers&>(out) = *this;
    const char* at = reinterpret_cast<const char*>(this + 1);
    for (size_t i = 0; i < kTexts; at += bytes[i], ++i) out.texts[i] = {at, bytes[i]};
    return out;
}

bool Contact::is_valid() const {
    for (size_t i = 0; i < kTexts; ++i)
        if (bytes[i] > kMostBytes[i]) return false;
    return state <= State::removed && !text(Text::aor).empty();
}

size_t contact_bytes(const Fields& fields) {
    size_t total = sizeof(Contact);
    for (const std::string_view text : fields.texts) total += text.size();
    return total;
}

Contact* make_contact(uint32_t hash, uint8_t table, State state, const Fields& fields) {
    if (fields.too_long() != Text::count_) return nullptr;
    void* const at = mem::allocate(contact_bytes(fields), mem::Tag::contact);
    if (at == nullptr) return nullptr;
    auto* const contact = ::new (at) Contact{};
    static_cast<Numbers&>(*contact) = fields;
    contact->hash = hash;
    contact->table = table;
    contact->state = state;
    char* to = reinterpret_cast<char*>(contact + 1);
    for (size_t i = 0; i < kTexts; ++i) {
        const std::string_view text = fields.texts[i];
        contact->bytes[i] = static_cast<uint16_t>(text.size());
        if (!text.empty()) std::memcpy(to, text.data(), text.size());
        to += text.size();
    }
    return contact;
}

Contact* copy_contact(const Contact& contact) {
    Contact* const copy = make_contact(contact.hash, contact.table, contact.state, contact.fields());
    if (copy != nullptr) copy->changes = contact.changes;
    return copy;
}

void free_contact(Contact* contact) { mem::deallocate(contact, mem::Tag::contact); }

}  // namespace kahu::usrloc
