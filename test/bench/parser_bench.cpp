// How fast SIP text is read and written.  The aim of core/sip: one core parses at least a million ordinary INVITEs per
// second to routing depth, that is everything a stateless proxy looks at.
#include <benchmark/benchmark.h>

#include <string>
#include <string_view>

#include "core/sip/builder.h"
#include "core/sip/contact.h"
#include "core/sip/frame.h"
#include "core/sip/validate.h"

namespace kahu::sip {
namespace {

constexpr std::string_view kInvite =
    "INVITE sip:bob@biloxi.example.com;transport=tls SIP/2.0\r\n"
    "Via: SIP/2.0/TLS 192.0.2.101:5061;branch=z9hG4bK-524287-1---d2c1a6f3b7e8;rport;alias\r\n"
    "Max-Forwards: 70\r\n"
    "Contact: <sip:alice@192.0.2.101:5061;transport=TLS;ob>\r\n"
    "To: \"Bob\" <sip:bob@biloxi.example.com>\r\n"
    "From: \"Alice\" <sip:alice@atlanta.example.com>;tag=9fxced76sl\r\n"
    "Call-ID: 3848276298220188511@atlanta.example.com\r\n"
    "CSeq: 2 INVITE\r\n"
    "Allow: INVITE, ACK, CANCEL, BYE, NOTIFY, REFER, MESSAGE, OPTIONS, INFO, SUBSCRIBE\r\n"
    "Content-Type: application/sdp\r\n"
    "Supported: replaces, norefersub, extended-refer, timer, outbound, path, X-cisco-serviceuri\r\n"
    "User-Agent: Example Phone 5.4.11\r\n"
    "Allow-Events: presence, kpml, talk\r\n"
    "Content-Length: 226\r\n"
    "\r\n"
    "v=0\r\no=alice 2890844526 2890844526 IN IP4 client.atlanta.example.com\r\ns=-\r\nc=IN IP4 192.0.2.101\r\nt=0 0\r\n"
    "m=audio 49172 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n";

constexpr std::string_view kRegister =
    "REGISTER sip:example.com SIP/2.0\r\n"
    "Via: SIP/2.0/TLS 192.0.2.2;branch=z9hG4bKnashds7;rport\r\n"
    "Max-Forwards: 70\r\n"
    "From: Bob <sip:bob@example.com>;tag=7F94778B653B\r\n"
    "To: Bob <sip:bob@example.com>\r\n"
    "Call-ID: 16CB75F21C70\r\n"
    "CSeq: 1 REGISTER\r\n"
    "Supported: path, outbound\r\n"
    "Contact: "
    "<sip:line1@192.0.2.2;transport=tls>;reg-id=1;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000A95A0E128>\"\r\n"
    "Expires: 3600\r\n"
    "Content-Length: 0\r\n"
    "\r\n";

constexpr std::string_view kOptions =
    "OPTIONS sip:example.com SIP/2.0\r\n"
    "Via: SIP/2.0/TLS 127.0.0.1:5061;branch=z9hG4bK.1\r\n"
    "From: <sip:load@example.com>;tag=1\r\n"
    "To: <sip:example.com>\r\n"
    "Call-ID: 1@127.0.0.1\r\n"
    "CSeq: 1 OPTIONS\r\n"
    "Max-Forwards: 70\r\n"
    "Content-Length: 0\r\n"
    "\r\n";

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
