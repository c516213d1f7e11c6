#include "core/sip/header_table.h"

#include <array>
#include <cstring>

#include "core/base/text.h"

namespace kahu::sip {

namespace {

// Names are found by length and three of their letters in an open-addressing table that the compiler fills: one
// comparison in nearly all cases.  Slots hold id + 1; 0 is empty.
constexpr size_t kSlots = 512;
static_assert(kHeaderIds * 2 < kSlots && kHeaderIds < 255);

constexpr size_t slot_of(std::string_view name) {
    const auto letter = [](char c) { return static_cast<unsigned>(static_cast<unsigned char>(c) | 0x20); };
    const unsigned hash = static_cast<unsigned>(name.size()) * 53u + letter(name.front()) * 7u +
                          letter(name[name.size() / 2]) * 131u + letter(name.back()) * 29u;
    return hash % kSlots;
}

constexpr std::array<uint8_t, kSlots> make_slots() {
    std::array<uint8_t, kSlots> slots{};
    for (const HeaderRow& row : kHeaders) {
        size_t at = slot_of(row.name);
        while (slots[at] != 0) at = (at + 1) % kSlots;
        slots[at] = static_cast<uint8_t>(static_cast<unsigned>(row.id) + 1);
    }
    return slots;
}

constexpr std::array<HeaderId, 26> make_compact() {
    std::array<HeaderId, 26> ids{};
    ids.fill(HeaderId::other);
    for (const HeaderRow& row : kHeaders)
        if (!row.compact.empty()) ids[static_cast<size_t>(row.compact[0] - 'a')] = row.id;
    return ids;
}

constexpr std::array<uint8_t, kSlots> kNameSlots = make_slots();
constexpr std::array<HeaderId, 26> kCompactIds = make_compact();

bool same_name(std::string_view given, std::string_view known) {
    if (given.size() != known.size()) return false;
    return std::memcmp(given.data(), known.data(), known.size()) == 0 || text::iequals(given, known);
}

}  // namespace

HeaderId header_id(std::string_view name) {
    if (name.size() < 2) {
        if (name.empty()) return HeaderId::other;
        const char letter = text::lower(name[0]);
        return letter >= 'a' && letter <= 'z' ? kCompactIds[static_cast<size_t>(letter - 'a')] : HeaderId::other;
    }
    for (size_t at = slot_of(name); kNameSlots[at] != 0; at = (at + 1) % kSlots) {
        const HeaderRow& row = kHeaders[kNameSlots[at] - 1u];
        if (same_name(name, row.name)) return row.id;
    }
    return HeaderId::other;
}

}  // namespace kahu::sip
