// How fast SIP text is read and written.  The aim of core/sip: one core parses at least a million ordinary INVITEs per
// second to routing depth, that is everything a stateless proxy looks at.
#include <benchmark/benchmark.h>

#include <string>
#include <string_view>

#include "core/sip/builder.h"
#include "core/sip/contact.h"
#include "core/sip/frame.h"
#include "core/sip/validate.h"
#include "test/bench/sample_messages.h"

namespace kahu::sip {
namespace {

using bench::kInvite, bench::kRegister, bench::kOptions;

bool read_to_routing_depth(Message& message, std::string_view text) {
    Bad bad;
    if (!message.parse(text, bad)) return false;
    const Via* via = message.top_via();
    const NameAddr *from = message.from(), *to = message.to();
    benchmark::DoNotOptimize(message.max_forwards());
    benchmark::DoNotOptimize(message.content_length());
    return via != nullptr && from != nullptr && to != nullptr && message.cseq() != nullptr &&
           !message.call_id().empty();
}

void routing_depth(benchmark::State& state, std::string_view text) {
    Message message;
    for (auto _ : state)
        if (!read_to_routing_depth(message, text)) state.SkipWithError("the message is not accepted");
    state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
    state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * text.size()));
}
BENCHMARK_CAPTURE(routing_depth, invite, kInvite);
BENCHMARK_CAPTURE(routing_depth, register, kRegister);
BENCHMARK_CAPTURE(routing_depth, options, kOptions);

void boundaries_only(benchmark::State& state, std::string_view text) {
    Message message;
    Bad bad;
    for (auto _ : state)
        if (!message.parse(text, bad)) state.SkipWithError(bad.rule);
    state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}
BENCHMARK_CAPTURE(boundaries_only, invite, kInvite);

void parse_and_validate(benchmark::State& state, std::string_view text) {
    Message message;
    Bad bad;
    for (auto _ : state)
        if (validate(message, message.parse(text, bad)).verdict != Verdict::accept) state.SkipWithError("not accepted");
    state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}
BENCHMARK_CAPTURE(parse_and_validate, invite, kInvite);
BENCHMARK_CAPTURE(parse_and_validate, options, kOptions);

void frame(benchmark::State& state, std::string_view text) {
    FrameState resume;
    for (auto _ : state)
        if (next_frame(text, resume, {}).kind != FrameKind::message) state.SkipWithError("not framed");
    state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}
BENCHMARK_CAPTURE(frame, invite, kInvite);
BENCHMARK_CAPTURE(frame, options, kOptions);

void contacts(benchmark::State& state) {
    Message message;
    Bad bad;
    (void)message.parse(kRegister, bad);
    const std::string_view value = message.first(HeaderId::contact)->value;
    for (auto _ : state) {
        ContactList list(value);
        Contact contact;
        Uri uri;
        if (!list.next(contact) || !parse_uri(contact.address.uri, uri, bad)) state.SkipWithError("not read");
    }
    state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}
BENCHMARK(contacts);

void reply_200(benchmark::State& state, std::string_view text) {
    Message message;
    Bad bad;
    (void)message.parse(text, bad);
    std::string out;
    for (auto _ : state) {
        out.clear();
        build_reply(message, 200, "", {.to_tag = "b27e1a1d33761e85846fc98f5f3a7e58.1", .server_header = "kahu"}, out);
        benchmark::DoNotOptimize(out.data());
    }
    state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}
BENCHMARK_CAPTURE(reply_200, invite, kInvite);
BENCHMARK_CAPTURE(reply_200, options, kOptions);

// What one OPTIONS costs in core/sip from the stream to the answer.
void options_to_200(benchmark::State& state) {
    Message message;
    Bad bad;
    FrameState resume;
    std::string out;
    for (auto _ : state) {
        const FrameResult framed = next_frame(kOptions, resume, {});
        if (validate(message, message.parse(kOptions.substr(0, framed.bytes), bad)).verdict != Verdict::accept)
            state.SkipWithError("not accepted");
        out.clear();
        build_reply(message, 200, "", {.to_tag = "b27e1a1d33761e85846fc98f5f3a7e58.1"}, out);
        benchmark::DoNotOptimize(out.data());
    }
    state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}
BENCHMARK(options_to_200);

}  // namespace
}  // namespace kahu::sip

BENCHMARK_MAIN();
