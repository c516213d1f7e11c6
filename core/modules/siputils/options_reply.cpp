#include "core/modules/siputils/options_reply.h"

#include "core/script/reply.h"
#include "core/script/run.h"
#include "core/script/transaction_layer.h"

namespace kahu::siputils {
namespace {

TextSetting g_accept{"*/*"};
TextSetting g_encoding{""};
TextSetting g_language{"en"};
TextSetting g_supported{""};

Status one_line(const ParamValue& value) {
    const auto* const text = std::get_if<std::string>(&value);
    if (text != nullptr && text->find_first_of("\r\n") != text->npos)
        return Error{Errc::invalid, "the value has a line end in it", "write the header's value only"};
    return {};
}

constexpr Param kParams[] = {
    {.name = "options_accept",
     .kind = ParamKind::text,
     .text = &g_accept,
     .accept = one_line,
     .help = "Value of Accept in answers to OPTIONS."},
    {.name = "options_accept_enc",
     .kind = ParamKind::text,
     .text = &g_encoding,
     .accept = one_line,
     .help = "Value of Accept-Encoding in answers to OPTIONS."},
    {.name = "options_accept_lang",
     .kind = ParamKind::text,
     .text = &g_language,
     .accept = one_line,
     .help = "Value of Accept-Language in answers to OPTIONS."},
    {.name = "options_accept_encoding",
     .kind = ParamKind::text,
     .text = &g_encoding,
     .accept = one_line,
     .help = "The same as options_accept_enc."},
    {.name = "options_accept_language",
     .kind = ParamKind::text,
     .text = &g_language,
     .accept = one_line,
     .help = "The same as options_accept_lang."},
    {.name = "options_support",
     .kind = ParamKind::text,
     .text = &g_supported,
     .accept = one_line,
     .help = "Value of Supported in answers to OPTIONS."},
};

}  // namespace

std::span<const Param> options_params() { return kParams; }

// Only what is for the server itself: a Request-URI without a user.
int options_reply(script::Run& run, const script::Args&) {
    const sip::Uri* const uri = run.is_request() ? run.message().parsed_request_uri() : nullptr;
    if (uri == nullptr || run.message().method() != sip::Method::options || uri->has_user) return -1;
    script::TextBuilder lines(run.arena());
    lines.append("Accept: ").append(g_accept.get()).append("\r\nAccept-Encoding: ").append(g_encoding.get());
    lines.append("\r\nAccept-Language: ").append(g_language.get()).append("\r\nSupported: ").append(g_supported.get());
    const script::ReplyText text{.reason = "OK", .extra_headers = lines.append("\r\n").take()};
    using Answered = script::TransactionLayer::Answered;
    if (const auto reply = script::transaction_layer().reply; reply != nullptr)
        if (const Answered done = reply(run, 200, text); done != Answered::no_transaction)
            return done == Answered::sent ? 1 : -1;
    return script::reply_stateless(run, 200, text) ? 1 : -1;
}

}  // namespace kahu::siputils
