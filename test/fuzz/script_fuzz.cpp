// A routing script and a message.  The first byte chooses what the rest is: 'F' a text with variables, evaluated for a
// good request; 'M' a message for a script that looks at everything; anything else statements of a request_route.
#include <string>
#include <string_view>

#include "core/base/log.h"
#include "core/config/parse.h"
#include "core/modules/pv/module.h"
#include "core/modules/siputils/module.h"
#include "core/modules/sl/module.h"
#include "core/modules/textops/module.h"
#include "core/script/format.h"
#include "core/script/params.h"
#include "core/script/program.h"
#include "core/script/reply.h"
#include "core/script/scope.h"
#include "core/script/script_log.h"
#include "test/fuzz/expect.h"

namespace {

using namespace kahu;

constexpr std::string_view kRequest =
    "INVITE sip:bob@example.com:5070;transport=tcp SIP/2.0\r\nVia: SIP/2.0/UDP "
    "10.1.2.3:26102;branch=z9hG4bK77;rport\r\n"
    "Max-Forwards: 70\r\nFrom: \"A\" <sip:alice@x>;tag=1\r\nTo: <sip:bob@example.com>\r\nCall-ID: a\r\nCSeq: 7 "
    "INVITE\r\n"
    "Content-Length: 4\r\n\r\nbody";

constexpr std::string_view kCurious =
    "request_route {\n"
    "  log(\"$ru $rU $rd $rp $rP $fu $fU $fn $ft $tu $tU $tn $tt $ci $cs $cl $ua $ct $rb $hdr(Via) $(hdr(Via)[-1]) $au "
    "$aU $ar\");\n"
    "  $rU = \"x\"; $rd = $fd; strip(1); prefix(\"+\");\n"
    "  if (uri == myself || from_uri == myself || to_uri =~ \"a\" || search(\"b$\") || is_gruu() || has_body(\"a/b\")) "
    "setflag(1);\n"
    "  if (!append_to_reply(\"X: $hdr(Subject)\\r\\n\")) setflag(2);\n"
    "  sl_send_reply(\"404\", \"$fU $hdr(Subject)\");\n"
    "}\n"
    "reply_route { log(\"$rs $rr $rm $ci\"); }\n";

const ModuleDescriptor* const kLoaded[] = {&sl::kModule, &pv::kModule, &siputils::kModule, &textops::kModule};

net::Sent check_reply(const net::Inbound&, const SocketAddress&, std::string_view bytes) {
    FUZZ_EXPECT(bytes.substr(0, 8) == "SIP/2.0 ");
    sip::Message message;
    sip::Bad bad;
    // A reply we made of a request we accepted must be one that we would accept.
    message.parse(bytes, bad);
    return net::Sent::ok;
}
void swallow(log::Level, std::string_view, int) {}

net::Inbound inbound() {
    net::Inbound from;
    from.source = *SocketAddress::parse_ip("10.1.2.3", 26101);
    from.local = *SocketAddress::parse_ip("127.0.0.1", 26100);
    return from;
}

std::unique_ptr<script::Program> compile(std::string_view text) {
    config::ParseOptions options;
    options.allow_files = options.allow_environment = false;
    options.max_total_bytes = 64 * 1024;
    config::Diagnostics found;
    const auto ast = config::parse_text(text, "fuzz.cfg", options, found);
    if (!ast) return nullptr;
    auto program = script::Program::compile(*ast, {kLoaded, kLoaded}, found);
    FUZZ_EXPECT((program != nullptr) == !found.failed());
    return program;
}

void evaluate(std::string_view text) {
    const script::Scope scope(kLoaded, kLoaded);
    const auto format = script::Format::compile(text, scope, "fuzz");
    if (!format) return;
    sip::Message message;
    sip::Bad bad;
    FUZZ_EXPECT(message.parse(kRequest, bad));
    const net::Inbound from = inbound();
    static script::Run run;
    run.begin(message, from, kRequestRoute);
    (*format)->text(run);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const bool ready = [] {
        log::set_level(log::Level::alert);
        script::set_reply_sender(check_reply);
        script::set_script_log_sink(swallow);
        // Nested loops multiply: the script's author is trusted, a fuzzer is not.
        script::params::max_while_loops.set(2);
        script::params::max_recursive_level.set(3);
        return true;
    }();
    static const auto curious = compile(kCurious);
    FUZZ_EXPECT(ready && curious != nullptr);
    const std::string_view text = fuzz::text_of(data, size);
    if (text.empty() || text.size() > 64 * 1024) return 0;
    const net::Inbound from = inbound();
    if (text.front() == 'M') {
        curious->handle(text.substr(1), from);
    } else if (text.front() == 'F') {
        evaluate(text.substr(1));
    } else if (const auto program = compile("request_route {\n" + std::string(text) + "\n}\n")) {
        program->handle(kRequest, from);
    }
    return 0;
}
