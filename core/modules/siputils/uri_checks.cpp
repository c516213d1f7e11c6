#include "core/modules/siputils/uri_checks.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/script/message_facts.h"
#include "core/sip/params.h"
#include "core/sip/uri.h"

namespace kahu::siputils {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

template <class Test>
int all_of(std::string_view text, Test test) {
    return !text.empty() && std::all_of(text.begin(), text.end(), test) ? 1 : -1;
}

}  // namespace

bool is_e164_number(std::string_view text) {
    return text.size() >= 3 && text.size() <= 16 && text.front() == '+' && all_of(text.substr(1), is_digit) > 0;
}

int is_uri(script::Run& run, const script::Args& args) {
    sip::Uri uri;
    return script::parse_into(args.text(run, 0), uri) != nullptr ? 1 : -1;
}

int is_numeric(script::Run& run, const script::Args& args) { return all_of(args.text(run, 0), is_digit); }

int is_alphanum(script::Run& run, const script::Args& args) {
    return all_of(args.text(run, 0), [](char c) { return is_digit(c) || is_letter(c); });
}

int is_alphanumex(script::Run& run, const script::Args& args) {
    const std::string_view also = args.text(run, 1);
    return all_of(args.text(run, 0), [&](char c) { return is_digit(c) || is_letter(c) || also.find(c) != also.npos; });
}

int is_tel_number(script::Run& run, const script::Args& args) {
    std::string_view number = args.text(run, 0);
    if (!number.empty() && number.front() == '+') number.remove_prefix(1);
    return all_of(number, is_digit);
}

int is_e164(script::Run& run, const script::Args& args) { return is_e164_number(args.text(run, 0)) ? 1 : -1; }

int is_uri_user_e164(script::Run& run, const script::Args& args) {
    sip::Uri uri;
    return script::parse_into(args.text(run, 0), uri) != nullptr && is_e164_number(uri.user) ? 1 : -1;
}

int uri_param(script::Run& run, const script::Args& args) {
    const sip::Uri* const uri = run.parsed_request_uri();
    if (uri == nullptr) return -1;
    const auto param = sip::find_param(uri->params, args.text(run, 0));
    if (!param) return -1;
    if (args.size() == 1) return 1;
    return text::iequals(param->value, args.text(run, 1)) ? 1 : -1;
}

// Among the parameters of the user too: sip:user;x=1@host.
int uri_param_any(script::Run& run, const script::Args& args) {
    const sip::Uri* const uri = run.parsed_request_uri();
    if (uri == nullptr) return -1;
    const std::string_view name = args.text(run, 0);
    const size_t of_user = uri->user.find(';');
    const bool in_user = of_user != uri->user.npos && sip::find_param(uri->user.substr(of_user), name);
    return in_user || sip::find_param(uri->params, name) ? 1 : -1;
}

int uri_param_rm(script::Run& run, const script::Args& args) {
    const sip::Uri* const uri = run.parsed_request_uri();
    const auto param = uri == nullptr ? std::nullopt : sip::find_param(uri->params, args.text(run, 0));
    if (!param) return -1;
    const std::string_view text = run.request_uri();
    // With the semicolon before it.
    const size_t at = static_cast<size_t>(param->whole.data() - text.data());
    const size_t from = text.rfind(';', at);
    if (from == text.npos) return -1;
    const std::string_view front = text.substr(0, from), behind = text.substr(at + param->whole.size());
    run.set_request_uri(script::TextBuilder(run.arena()).append(front).append(behind).take());
    return 1;
}

int get_uri_param(script::Run& run, const script::Args& args) {
    const sip::Uri* const uri = run.parsed_request_uri();
    const auto param = uri == nullptr ? std::nullopt : sip::find_param(uri->params, args.text(run, 0));
    return param && args.assign(run, 1, script::Value::of(param->value)) ? 1 : -1;
}

int cmp_uri(script::Run& run, const script::Args& args) {
    sip::Uri a, b;
    const bool valid =
        script::parse_into(args.text(run, 0), a) != nullptr && script::parse_into(args.text(run, 1), b) != nullptr;
    return valid && sip::equal_uris(a, b) ? 1 : -1;
}

// User, host and port: what an address of record is known by.
int cmp_aor(script::Run& run, const script::Args& args) {
    sip::Uri a, b;
    if (script::parse_into(args.text(run, 0), a) == nullptr || script::parse_into(args.text(run, 1), b) == nullptr)
        return -1;
    const bool same = a.user == b.user && text::iequals(a.host, b.host) && script::uri_port(a) == script::uri_port(b);
    return same ? 1 : -1;
}

// 1: a public GRUU, 2: a temporary one (RFC 5627 3.1).
int is_gruu(script::Run& run, const script::Args& args) {
    sip::Uri given;
    const sip::Uri* const uri =
        args.size() == 0 ? run.parsed_request_uri() : script::parse_into(args.text(run, 0), given);
    if (uri == nullptr) return -1;
    const auto gr = sip::find_param(uri->params, "gr");
    if (!gr) return -1;
    return gr->has_value && !gr->value.empty() ? 1 : 2;
}

}  // namespace kahu::siputils
