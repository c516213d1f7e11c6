// A message for scripts that change it by what it says itself: values of lists, parts of its body, coded Contacts.  The
// first byte chooses the script, '0' to '5'; the rest is the message.
#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/log.h"
#include "core/config/parse.h"
#include "core/modules/pv/module.h"
#include "core/modules/siputils/module.h"
#include "core/modules/textops/module.h"
#include "core/modules/textopsx/module.h"
#include "core/script/function.h"
#include "core/script/outgoing.h"
#include "core/script/program.h"
#include "core/script/reply.h"
#include "core/script/run.h"
#include "core/script/script_log.h"
#include "test/fuzz/expect.h"

namespace {

using namespace kahu;

// What leaves is a message again, whatever was changed.
int leave(script::Run& run, const script::Args&) {
    static std::string left;
    left.clear();
    run.edits.apply(run.message().bytes(), left);
    script::fix_content_length(run.message(), run.edits, true, 0, left);
    static sip::Message message;
    sip::Bad bad;
    FUZZ_EXPECT(message.parse(left, bad));
    return 1;
}
constexpr Function kProbes[] = {{"leave", 0, 0, "()", "For the fuzzer.", kAnyRoute, leave}};
const ModuleDescriptor kProbe{.name = "probe", .summary = "s", .functions = kProbes};
const ModuleDescriptor* const kLoaded[] = {&pv::kModule, &siputils::kModule, &textops::kModule, &textopsx::kModule,
                                           &kProbe};

constexpr std::string_view kStatements[] = {
    // Values of lists.
    "append_hf_value(\"Contact[1]\", \"$hdr(X-Value)\"); insert_hf_value(\"Accept[2]\", \"$hdr(X-Value)\");\n"
    "assign_hf_value(\"Contact[2].q\", \"$hdr(X-Value)\"); remove_hf_value(\"Contact[-1].expires\");\n"
    "assign_hf_value(\"Accept[-1]\", \"$hdr(X-Value)\"); remove_hf_value(\"Supported[2]\");\n"
    "include_hf_value(\"Supported\", \"$hdr(X-Value)\"); exclude_hf_value(\"Allow\", \"$hdr(X-Value)\");\n"
    "assign_hf_value2(\"Authorization.realm\", \"$hdr(X-Value)\"); remove_hf_value2(\"Authorization.nonce\");\n"
    "hf_value_exists(\"Allow\", \"$hdr(X-Value)\"); \n"
    "if (!cmp_hdr_name(\"$hdr(X-Name)\", \"l\")) append_hf_value(\"$hdr(X-Name)\", \"new\");\n",
    // Walks that remove and add.
    "hf_iterator_start(\"h\"); while (hf_iterator_next(\"h\")) { $var(n) = $hfitname(h); $var(v) = $hfitbody(h);\n"
    "  if ($hfitname(h) == \"X\") hf_iterator_rm(\"h\"); else hf_iterator_append(\"h\", \"Y: 1\"); }\n"
    "hf_iterator_prev(\"h\"); msg_apply_changes();\n"
    "bl_iterator_start(\"b\"); while (bl_iterator_next(\"b\")) { $var(v) = $blitval(b); bl_iterator_insert(\"b\", "
    "\"z\");\n"
    "  if ($var(v) =~ \"^a\") bl_iterator_rm(\"b\"); }\n",
    // Bodies of several parts.
    "get_body_part(\"$hdr(X-Value)\", \"$var(p)\"); get_body_part_raw(\"text/plain\", \"$var(p)\");\n"
    "append_body_part(\"$var(p)\", \"a/b\", \"$hdr(X-Value)\"); append_body_part_hex(\"$hdr(X-Name)\", \"a/b\");\n"
    "remove_body_part(\"application/sdp\"); set_body_multipart(\"$rb\", \"a/b\", \"$hdr(X-Name)\"); "
    "is_audio_on_hold();\n",
    "filter_body(\"application/sdp\"); set_body_multipart(); remove_hf(\"Content-Type\"); set_body(\"x\", \"a/b\");\n",
    // Contacts and numbers.
    "decode_contact_header(); msg_apply_changes(); contact_param_decode(\"p\"); encode_contact(\"n\", \"$rd\");\n"
    "msg_apply_changes(); contact_param_encode(\"p\", \"sip:here\"); msg_apply_changes(); contact_param_rm(\"p\");\n"
    "decode_contact(); contact_param_decode_ruri(\"p\"); tel2sip(\"$hdr(X-Value)\", \"$rd\", \"$var(u)\");\n"
    "$var(u) = $fu; set_uri_user(\"$var(u)\", \"$hdr(X-Value)\"); set_uri_host(\"$var(u)\", \"$hdr(X-Value)\");\n"
    "$var(x) = $pcv(all) + $pcv(value) + $pcv(orig); cmp_hdr_name(\"$hdr(X-Name)\", \"From\");\n",
    // The bytes themselves.
    "$var(x) = $mbu + $msgbuf($hdr(X-Value)) + $rpl(duri) + $rpl(dhost) + $rcv(buf);\n"
    "subst(\"/([a-m]+)([n-z]*)/\\2\\1/g\"); replace_str(\"a\", \"$hdr(X-Name)\", \"a\"); search_append_body(\"a\", "
    "\"b\");\n"
    "msg_set_buffer(\"$rb\");\n",
};
constexpr size_t kFree = 5;  // from here on the script writes what it likes

net::Sent swallow_reply(const net::Inbound&, const SocketAddress&, std::string_view) { return net::Sent::ok; }
void swallow_line(log::Level, std::string_view, int) {}

std::unique_ptr<script::Program> compile(size_t which) {
    std::string text = "request_route {\n";
    text.append(kStatements[which]).append(which < kFree ? "leave();\n}\n" : "}\n");
    if (which == kFree) text.append("reply_route {\n").append(kStatements[which]).append("}\n");
    const config::ParseOptions options;
    config::Diagnostics found;
    const auto ast = config::parse_text(text, "fuzz.cfg", options, found);
    auto program = ast ? script::Program::compile(*ast, {kLoaded, kLoaded}, found) : nullptr;
    if (program == nullptr) std::fputs(found.text().c_str(), stderr);
    FUZZ_EXPECT(program != nullptr);
    return program;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static std::array<std::unique_ptr<script::Program>, std::size(kStatements)> programs;
    if (programs[0] == nullptr) {
        log::set_level(log::Level::alert);
        script::set_reply_sender(swallow_reply);
        script::set_script_log_sink(swallow_line);
        for (size_t i = 0; i < programs.size(); ++i) programs[i] = compile(i);
    }
    const std::string_view text = fuzz::text_of(data, size);
    if (text.empty() || text.size() > 64 * 1024) return 0;
    const auto which = static_cast<size_t>(text.front() - '0');
    if (which >= programs.size()) return 0;
    net::Inbound from;
    from.source = *SocketAddress::parse_ip("10.1.2.3", 26101);
    from.local = *SocketAddress::parse_ip("127.0.0.1", 26100);
    programs[which]->handle(text.substr(1), from);
    return 0;
}
