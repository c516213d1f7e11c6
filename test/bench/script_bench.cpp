// What one request costs from its bytes to the reply's bytes: parse, validate, routing script, reply.  The aim is 1 us
// for the STATELESS profile of the comparison configuration (is_method and sl_send_reply).
#include <benchmark/benchmark.h>

#include <string>
#include <string_view>

#include "core/base/log.h"
#include "core/config/parse.h"
#include "core/modules/siputils/module.h"
#include "core/modules/sl/module.h"
#include "core/modules/xlog/module.h"
#include "core/script/program.h"
#include "core/script/reply.h"
#include "test/bench/sample_messages.h"

namespace kahu::script {
namespace {

constexpr std::string_view kStateless =
    "request_route {\n"
    "  if (is_method(\"OPTIONS|REGISTER\")) { sl_send_reply(\"200\", \"OK\"); exit; }\n"
    "  if (is_method(\"ACK\")) exit;\n"
    "  sl_send_reply(\"405\", \"Method Not Allowed\");\n"
    "  exit;\n"
    "}\n";

constexpr std::string_view kDrop = "request_route { exit; }\n";

// What a routing script does besides: conditions on addresses and URIs, variables, a text with variables, a call.
constexpr std::string_view kRich =
    "request_route {\n"
    "  if (src_ip == 10.0.0.0/8 || uri =~ \"^sip:blocked@\") exit;\n"
    "  $var(who) = $fU + \"@\" + $fd;\n"
    "  $avp(route) = $(rd{s.toupper});\n"
    "  xdbg(\"never put together: $ru $var(who)\");\n"
    "  route(ANSWER);\n"
    "}\n"
    "route[ANSWER] {\n"
    "  if ($avp(route) == \"EXAMPLE.COM\" && proto == TLS) sl_send_reply(\"200\", \"Hello $fU\");\n"
    "}\n";

net::Sent swallow(const net::Inbound&, const SocketAddress&, std::string_view bytes) {
    benchmark::DoNotOptimize(bytes.data());
    return net::Sent::ok;
}

void run(benchmark::State& state, std::string_view config) {
    log::set_level(log::Level::warn);
    set_reply_sender(swallow);
    config::Diagnostics found;
    auto ast = config::parse_text(config, "bench.cfg", {}, found);
    const ModuleDescriptor* const loaded[] = {&sl::kModule, &siputils::kModule, &xlog::kModule};
    const auto program = ast ? Program::compile(*ast, {loaded, {}}, found) : nullptr;
    if (program == nullptr) {
        state.SkipWithError(found.text().c_str());
        return;
    }
    net::Inbound from;
    from.transport = Transport::tls;
    from.source = *SocketAddress::parse_ip("127.0.0.1", 40000);
    from.local = *SocketAddress::parse_ip("127.0.0.1", 5061);
    for (auto _ : state) program->handle(bench::kOptions, from);
    state.SetItemsProcessed(state.iterations());
}

void parse_and_drop(benchmark::State& state) { run(state, kDrop); }
void stateless_options(benchmark::State& state) { run(state, kStateless); }
void rich_script(benchmark::State& state) { run(state, kRich); }

BENCHMARK(parse_and_drop);
BENCHMARK(stateless_options);
BENCHMARK(rich_script);

}  // namespace
}  // namespace kahu::script

BENCHMARK_MAIN();
