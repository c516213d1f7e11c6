// test/unit/script/harness.h -- a configuration text, one message in, what comes out: the reply, log lines,
// diagnostics.
#pragma once
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "core/base/log.h"
#include "core/config/parse.h"
#include "core/net/inbound.h"
#include "core/script/core_variables.h"
#include "core/script/function.h"
#include "core/script/params.h"
#include "core/script/program.h"
#include "core/script/reply.h"
#include "core/script/script_log.h"

namespace kahu::script::test {

struct Outcome {
    std::vector<std::string> replies;
    std::vector<SocketAddress> targets;
    std::vector<std::string> lines;  // of log(), xlog()
    std::string first_line() const { return replies.empty() ? "" : replies[0].substr(0, replies[0].find("\r\n")); }
    std::string line() const { return lines.empty() ? "" : lines[0]; }
};
inline Outcome g_outcome;

inline net::Sent record_reply(const net::Inbound&, const SocketAddress& to, std::string_view bytes) {
    g_outcome.replies.emplace_back(bytes);
    g_outcome.targets.push_back(to);
    return net::Sent::ok;
}
inline void record_line(log::Level, std::string_view line, int) { g_outcome.lines.emplace_back(line); }

inline net::Inbound from(std::string_view source = "10.1.2.3", Transport transport = Transport::udp) {
    net::Inbound inbound;
    inbound.transport = transport;
    inbound.source = *SocketAddress::parse_ip(source, 26101);
    inbound.local = *SocketAddress::parse_ip("127.0.0.1", 26100);
    return inbound;
}

inline std::string request(std::string_view method = "OPTIONS",
                           std::string_view uri = "sip:bob@example.com:5070;transport=tcp",
                           std::string_view more_headers = "", std::string_view body = "") {
    std::string out(method);
    out.append(" ").append(uri).append(" SIP/2.0\r\n");
    out.append("Via: SIP/2.0/UDP 10.1.2.3:26102;branch=z9hG4bK77;rport\r\n");
    out.append(
        "Max-Forwards: 70\r\nFrom: \"Alice A\" <sip:alice@atlanta.example>;tag=a1\r\nTo: <sip:bob@example.com>\r\n");
    out.append("Call-ID: abc@10.1.2.3\r\nCSeq: 7 ").append(method).append("\r\n").append(more_headers);
    out.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n\r\n").append(body);
    return out;
}
inline std::string reply(std::string_view start = "SIP/2.0 404 Not Found") {
    return std::string(start) +
           "\r\nVia: SIP/2.0/UDP 127.0.0.1:26100;branch=z9hG4bK1\r\nFrom: <sip:a@a>;tag=1\r\nTo: <sip:b@b>;tag=2\r\n"
           "Call-ID: x\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n";
}

class Script {
  public:
    explicit Script(std::string_view text, std::vector<const ModuleDescriptor*> loaded = {},
                    std::vector<const ModuleDescriptor*> available = {})
        : loaded_(std::move(loaded)), available_(std::move(available)) {
        log::set_level(log::Level::debug);
        set_reply_sender(record_reply);
        set_script_log_sink(record_line);
        clear_script_variables();
        config::ParseOptions options;
        auto ast = config::parse_text(text, "test.cfg", options, found);
        if (!ast) return;
        ast_ = std::move(*ast);
        program = Program::compile(ast_, {loaded_, available_}, found);
    }
    Outcome send(std::string_view bytes, const net::Inbound& inbound = from()) {
        g_outcome = {};
        if (program != nullptr) program->handle(bytes, inbound);
        return g_outcome;
    }
    config::Diagnostics found;
    std::unique_ptr<Program> program;

  private:
    std::vector<const ModuleDescriptor*> loaded_, available_;
    config::Ast ast_;
};

// What log("...") in request_route wrote first, for the given statements before it.
inline std::string logged(const std::string& statements, std::string_view message = "",
                          std::vector<const ModuleDescriptor*> loaded = {}, const net::Inbound& inbound = from()) {
    Script script("request_route {\n" + statements + "\n}\n", std::move(loaded));
    EXPECT_NE(script.program, nullptr) << script.found.text();
    const std::string standard = request();
    return script.send(message.empty() ? std::string_view(standard) : message, inbound).line();
}

}  // namespace kahu::script::test
