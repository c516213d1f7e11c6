// The headers of a Message that are parsed on first use and kept.
#include "core/base/text.h"
#include "core/sip/message.h"
#include "core/sip/numbers.h"
#include "core/sip/scan.h"

namespace kahu::sip {

const HeaderField* Message::first(std::string_view name) const {
    const HeaderId id = header_id(name);
    const HeaderField* field = first(id);
    if (id != HeaderId::other || field == nullptr) return field;
    for (const HeaderField* const end = headers_.data() + headers_.size(); field < end; ++field)
        if (field->id == HeaderId::other && text::iequals(field->name, name)) return field;
    return nullptr;
}

const HeaderField* Message::next(const HeaderField* previous) const {
    const HeaderField* const end = headers_.data() + headers_.size();
    for (const HeaderField* field = previous + 1; field < end; ++field) {
        if (field->id != previous->id) continue;
        if (field->id != HeaderId::other || text::iequals(field->name, previous->name)) return field;
    }
    return nullptr;
}

const HeaderField* Message::last(HeaderId id) const {
    for (size_t i = headers_.size(); i > 0; --i)
        if (headers_[i - 1].id == id) return &headers_[i - 1];
    return nullptr;
}

template <class Read>
bool Message::once(Part part, Read read) const {
    Known& known = known_[part];
    if (known == Known::no) known = read() ? Known::good : Known::bad;
    return known == Known::good;
}

void Message::remember(const Bad& bad, std::string_view part) const { bad_ = {bad.rule, offset_of(part) + bad.at}; }

const Via* Message::top_via() const {
    const bool good = once(kTopVia, [this] {
        const HeaderField* field = first(HeaderId::via);
        if (field == nullptr) return false;
        size_t used = 0;
        Bad bad;
        if (!parse_via(field->value, top_via_, used, bad)) {
            remember(bad, field->value);
            return false;
        }
        second_via_at_ = used < field->value.size() ? used : 0;
        return true;
    });
    return good ? &top_via_ : nullptr;
}

const Via* Message::second_via() const {
    const bool good = once(kSecondVia, [this] {
        if (top_via() == nullptr) return false;
        const HeaderField* field = first(HeaderId::via);
        std::string_view text = field->value.substr(second_via_at_);
        if (second_via_at_ == 0) {
            field = next(field);
            if (field == nullptr) return false;
            text = field->value;
        }
        size_t used = 0;
        Bad bad;
        if (parse_via(text, second_via_, used, bad)) return true;
        remember(bad, text);
        return false;
    });
    return good ? &second_via_ : nullptr;
}

bool Message::read_name_addr(HeaderId id, NameAddr& out) const {
    const HeaderField* field = first(id);
    if (field == nullptr) return false;
    Bad bad;
    if (parse_single_name_addr(field->value, out, bad)) return true;
    remember(bad, field->value);
    return false;
}

const NameAddr* Message::from() const {
    return once(kFrom, [this] { return read_name_addr(HeaderId::from, from_); }) ? &from_ : nullptr;
}

const NameAddr* Message::to() const {
    return once(kTo, [this] { return read_name_addr(HeaderId::to, to_); }) ? &to_ : nullptr;
}

const CSeq* Message::cseq() const {
    const bool good = once(kCSeq, [this] {
        const HeaderField* field = first(HeaderId::cseq);
        Bad bad;
        if (field == nullptr) return false;
        if (parse_cseq(field->value, cseq_, bad)) return true;
        remember(bad, field->value);
        return false;
    });
    return good ? &cseq_ : nullptr;
}

const Uri* Message::parsed_request_uri() const {
    const bool good = once(kRequestUri, [this] {
        Bad bad;
        if (request_uri_.empty()) return false;
        if (parse_uri(request_uri_, request_uri_parsed_, bad)) return true;
        remember(bad, request_uri_);
        return false;
    });
    return good ? &request_uri_parsed_ : nullptr;
}

// callid = word [ "@" word ]; every printable character is let through, white space and controls are not.
std::string_view Message::call_id() const {
    const HeaderField* field = first(HeaderId::call_id);
    if (field == nullptr) return {};
    for (const char c : field->value) {
        if (static_cast<unsigned char>(c) > 0x20 && c != 0x7f) continue;
        remember({"Call-ID: character", 0}, field->value);
        return {};
    }
    return field->value;
}

std::optional<uint32_t> Message::number(HeaderId id, bool clamp) const {
    const HeaderField* field = first(id);
    if (field == nullptr) return std::nullopt;
    const auto value = clamp ? parse_delta_seconds(field->value) : parse_uint32(field->value);
    if (!value) remember({"number", 0}, field->value);
    return value;
}

std::optional<uint32_t> Message::content_length() const { return number(HeaderId::content_length, false); }
std::optional<uint32_t> Message::max_forwards() const { return number(HeaderId::max_forwards, false); }
std::optional<uint32_t> Message::expires() const { return number(HeaderId::expires, true); }

bool Message::can_be_answered() const { return is_request_ && method_ != Method::ack && has(HeaderId::via); }

}  // namespace kahu::sip
