#include "core/script/run.h"

#include "core/script/params.h"
#include "core/sip/uri.h"

namespace kahu::script {

void Run::begin(const sip::Message& message, const net::Inbound& inbound, RouteMask kind) {
    message_ = &message;
    inbound_ = &inbound;
    kind_ = kind;
    static uint64_t begun = 0;  // in all Runs of this process
    id_ = ++begun;
    ++number_;
    arena_.reset();
    flow = Flow::next;
    return_code = last_value = 1;
    route_depth = 0;
    steps = 0;
    evaluation_failed = false;
    sending = nullptr;
    received = {};
    advertised_host = advertised_port = {};
    new_uri_ = destination_uri_ = {};
    uri_known_ = uri_good_ = false;
    uri_is_new = true;
    branches.clear();
    edits.clear();
    record_route = {};
    path_lines = {};
    forward_no_connect = reply_no_connect = add_local_rport = false;
    flags = script_flags = 0;
    xflags = 0;
    is_made_up = false;
    xavps.clear();
    force_rport = params::force_rport != 0;
    replied = false;
    last_error = 0;
    reply_headers.clear();
    authorized_user = authorized_realm = {};
    reply_body.clear();
    reply_body_type.clear();
    avps_.clear();
}

bool Run::replace_message(std::string_view bytes, sip::Bad& bad) {
    sip::Message& fresh = message_ == &replaced_[0] ? replaced_[1] : replaced_[0];
    if (!fresh.parse(bytes, bad)) return false;
    message_ = &fresh;
    uri_known_ = false;
    edits.clear();
    return true;
}

const sip::Uri* Run::parsed_request_uri() {
    if (!request_uri_changed()) return message_->is_request() ? message_->parsed_request_uri() : nullptr;
    if (!uri_known_) {
        sip::Bad bad;
        uri_good_ = sip::parse_uri(new_uri_, uri_, bad);
        uri_known_ = true;
    }
    return uri_good_ ? &uri_ : nullptr;
}

void Run::set_request_uri(std::string_view uri) {
    new_uri_ = arena_.copy(uri);
    uri_known_ = false;
    uri_is_new = true;
}

void Run::set_destination_uri(std::string_view uri) {
    destination_uri_ = uri.empty() ? std::string_view() : arena_.copy(uri);
    uri_is_new = uri_is_new || !uri.empty();
}

namespace {

// The arena's copy of a value's text, so that it outlives whatever the text was borrowed from.
Value kept(const Value& value, Arena& arena) {
    Value copy = value;
    if (!copy.text.empty()) copy.text = arena.copy(copy.text);
    return copy;
}

}  // namespace

void Run::add_avp(std::string_view name, const Value& value) {
    if (avps_.size() >= kMaxAvps) return;
    avps_.push_back({arena_.copy(name), kept(value, arena_)});
}

Run::Avp* Run::find_avp(std::string_view name, size_t nth) {
    for (size_t i = avps_.size(); i-- > 0;)
        if (avps_[i].name == name && nth-- == 0) return &avps_[i];
    return nullptr;
}

const Run::Avp* Run::avp(std::string_view name, size_t nth) const {
    return const_cast<Run*>(this)->find_avp(name, nth);
}

size_t Run::count_avps(std::string_view name) const {
    size_t count = 0;
    for (const Avp& avp : avps_) count += avp.name == name;
    return count;
}

bool Run::set_avp(std::string_view name, size_t nth, const Value& value) {
    Avp* const avp = find_avp(name, nth);
    if (avp == nullptr) return false;
    avp->value = kept(value, arena_);
    return true;
}

void Run::remove_avp(std::string_view name, size_t nth) {
    if (Avp* const avp = find_avp(name, nth)) avps_.erase(avps_.begin() + (avp - avps_.data()));
}

void Run::remove_avps(std::string_view name) {
    std::erase_if(avps_, [&](const Avp& avp) { return avp.name == name; });
}

}  // namespace kahu::script
