// parser_others.cpp -- the same INVITE read by two libraries of Debian, beside core/sip (parser_bench.cpp).
//
// libre indexes the headers and parses Via, From, To, CSeq and the Request-URI: routing depth.  libosip2 parses and
// copies every header it knows; it has no lazier way.  Both allocate for each message, core/sip does not.
#include <benchmark/benchmark.h>
extern "C" {
#include <osipparser2/osip_parser.h>
#include <re/re.h>
}

#include "test/bench/sample_messages.h"

namespace kahu::bench {
namespace {

void libosip2(benchmark::State& state) {
    parser_init();
    for (auto _ : state) {
        osip_message_t* message = nullptr;
        if (osip_message_init(&message) != 0 || osip_message_parse(message, kInvite.data(), kInvite.size()) != 0 ||
            message->cseq == nullptr || osip_list_size(&message->vias) != 1)
            state.SkipWithError("the message is not accepted");
        osip_message_free(message);
    }
    state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}
BENCHMARK(libosip2);

void libre(benchmark::State& state) {
    mbuf* buffer = mbuf_alloc(kInvite.size());
    mbuf_write_mem(buffer, reinterpret_cast<const uint8_t*>(kInvite.data()), kInvite.size());
    for (auto _ : state) {
        buffer->pos = 0;
        sip_msg* message = nullptr;
        if (sip_msg_decode(&message, buffer) != 0 || message->callid.l == 0 || message->via.branch.l == 0)
            state.SkipWithError("the message is not accepted");
        mem_deref(message);
    }
    mem_deref(buffer);
    state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}
BENCHMARK(libre);

}  // namespace
}  // namespace kahu::bench
