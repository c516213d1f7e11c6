#include "core/sip/edit.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "core/base/text.h"
#include "mem/contract.h"

namespace kahu::sip {

void EditList::clear() {
    edits_.clear();
    text_.clear();
}

void EditList::replace(size_t offset, size_t bytes, std::string_view text) {
    REQUIRE(offset <= Message::kMaxBytes && bytes <= Message::kMaxBytes);
    const Edit edit{static_cast<uint32_t>(offset), static_cast<uint32_t>(bytes), static_cast<uint32_t>(text_.size()),
                    static_cast<uint32_t>(text.size())};
    text_.append(text);
    const auto behind = std::upper_bound(edits_.begin(), edits_.end(), edit,
                                         [](const Edit& a, const Edit& b) { return a.offset < b.offset; });
    edits_.insert(behind, edit);
}

void EditList::replace_part(const Message& message, std::string_view part, std::string_view text) {
    const size_t offset = message.offset_of(part);
    REQUIRE(offset + part.size() <= message.bytes().size());
    replace(offset, part.size(), text);
}

void EditList::remove_header(const Message& message, const HeaderField& field) {
    replace_part(message, field.whole, {});
}

void EditList::insert_before(const Message& message, const HeaderField& field, std::string_view lines) {
    insert(message.offset_of(field.whole), lines);
}

void EditList::insert_after(const Message& message, const HeaderField& field, std::string_view lines) {
    insert(message.offset_of(field.whole) + field.whole.size(), lines);
}

void EditList::prepend_header(const Message& message, std::string_view lines) {
    insert(message.start_line().size(), lines);
}

void EditList::append_header(const Message& message, std::string_view lines) {
    const std::string_view head = message.head();
    REQUIRE(head.size() >= 2);
    insert(head.size() - (head[head.size() - 2] == '\r' ? 2 : 1), lines);  // before the empty line
}

void EditList::replace_body(const Message& message, std::string_view body) {
    char digits[20];
    const auto [end, error] = std::to_chars(digits, digits + sizeof digits, body.size());
    const std::string_view length(digits, static_cast<size_t>(end - digits));
    if (const HeaderField* field = message.first(HeaderId::content_length)) {
        replace_part(message, field->value, length);
    } else {
        append_header(message, "Content-Length: " + std::string(length) + "\r\n");
    }
    replace(message.head().size(), message.body().size(), body);
}

void EditList::forget(size_t offset, size_t bytes) {
    std::erase_if(edits_, [&](const Edit& edit) {
        const size_t end = size_t{edit.offset} + edit.remove;
        const bool at_edge = edit.remove == 0 && bytes != 0 && (edit.offset == offset || end == offset + bytes);
        return edit.offset >= offset && end <= offset + bytes && !at_edge;
    });
}
void EditList::forget_from(size_t offset) {
    std::erase_if(edits_, [&](const Edit& edit) { return edit.offset >= offset; });
}
void EditList::forget_line(std::string_view beginning) {
    std::erase_if(edits_, [&](const Edit& edit) {
        const std::string_view text = std::string_view(text_).substr(edit.text_at, edit.text_bytes);
        return edit.remove == 0 && text::iequals(text.substr(0, beginning.size()), beginning) &&
               text.find('\n') == text.size() - 1;
    });
}

// `removed_until`: by edits of smaller offset.
bool EditList::is_overruled(size_t i, size_t removed_until) const {
    const Edit& edit = edits_[i];
    if (edit.offset < removed_until && size_t{edit.offset} + edit.remove <= removed_until) return true;
    if (edit.remove == 0) return false;
    for (size_t j = i; j-- > 0 && edits_[j].offset == edit.offset;)
        if (edits_[j].remove > edit.remove) return true;
    for (size_t j = i + 1; j < edits_.size() && edits_[j].offset == edit.offset; ++j)
        if (edits_[j].remove >= edit.remove) return true;
    return false;
}

void EditList::apply(std::string_view bytes, std::string& out) const {
    size_t at = 0;  // everything before is copied or removed
    size_t removed_until = 0, offset = 0, until_here = 0;
    for (size_t i = 0; i < edits_.size(); ++i) {
        const Edit& edit = edits_[i];
        REQUIRE(size_t{edit.offset} + edit.remove <= bytes.size());
        if (edit.offset != offset) removed_until = std::max(removed_until, until_here);
        offset = edit.offset;
        until_here = std::max(until_here, size_t{edit.offset} + edit.remove);
        if (edit.offset > at) {
            out.append(bytes.substr(at, edit.offset - at));
            at = edit.offset;
        }
        if (!is_overruled(i, removed_until)) out.append(text_, edit.text_at, edit.text_bytes);
        at = std::max(at, size_t{edit.offset} + edit.remove);
    }
    out.append(bytes.substr(at));
}

bool EditList::inserts(std::string_view wanted) const {
    const auto same = [](char a, char b) { return text::lower(a) == text::lower(b); };
    return std::any_of(edits_.begin(), edits_.end(), [&](const Edit& edit) {
        const std::string_view text = std::string_view(text_).substr(edit.text_at, edit.text_bytes);
        return std::search(text.begin(), text.end(), wanted.begin(), wanted.end(), same) != text.end();
    });
}

void EditList::save(std::string& out) const {
    const auto count = static_cast<uint32_t>(edits_.size());
    out.append(reinterpret_cast<const char*>(&count), sizeof count);
    out.append(reinterpret_cast<const char*>(edits_.data()), count * sizeof(Edit));
    out.append(text_);
}

void EditList::load(std::string_view saved) {
    uint32_t count = 0;
    REQUIRE(saved.size() >= sizeof count);
    std::memcpy(&count, saved.data(), sizeof count);
    saved.remove_prefix(sizeof count);
    REQUIRE(saved.size() >= count * sizeof(Edit));
    edits_.resize(count);
    if (count != 0) std::memcpy(edits_.data(), saved.data(), count * sizeof(Edit));
    text_.assign(saved.substr(count * sizeof(Edit)));
}

}  // namespace kahu::sip
