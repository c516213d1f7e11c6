// Requests, answers, framing and FIFO input from anywhere.  What was read must be written and read again as the same.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "rpc/answer.h"
#include "rpc/binrpc.h"
#include "rpc/fifo_protocol.h"
#include "test/fuzz/expect.h"

namespace {

using namespace kahu::rpc;

// Thousandths beyond 2^52 are not exact as a double, and what exceeds 9.2e15 is written as that.
bool same(const kahu::RpcValue& a, const kahu::RpcValue& b);
struct Same {
    bool operator()(int64_t a, int64_t b) const { return a == b || std::fabs(static_cast<double>(a)) > 9.1e15; }
    bool operator()(double a, double b) const {
        return std::fabs(a - b) <= std::fabs(a) * 1e-12 || std::fabs(a) > 9.1e15;
    }
    bool operator()(int64_t a, double b) const { return (*this)(static_cast<double>(a), b); }
    bool operator()(double a, int64_t b) const { return (*this)(a, static_cast<double>(b)); }
    bool operator()(const std::string& a, const std::string& b) const { return a == b; }
    bool operator()(const kahu::RpcStruct& a, const kahu::RpcStruct& b) const {
        return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                          [](const auto& x, const auto& y) { return x.first == y.first && same(x.second, y.second); });
    }
    bool operator()(const kahu::RpcArray& a, const kahu::RpcArray& b) const {
        return std::equal(a.begin(), a.end(), b.begin(), b.end(), same);
    }
    // An ARRAY of nothing is written as a STRUCT of nothing, a STRUCT whose names are all empty as a list.
    bool operator()(const kahu::RpcArray& a, const kahu::RpcStruct& b) const { return a.empty() && b.empty(); }
    bool operator()(const kahu::RpcStruct& a, const kahu::RpcArray& b) const {
        return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                          [](const auto& x, const auto& y) { return x.first.empty() && same(x.second, y); });
    }
    template <class A, class B>
    bool operator()(const A&, const B&) const {
        return false;
    }
};
bool same(const kahu::RpcValue& a, const kahu::RpcValue& b) { return std::visit(Same{}, a.data(), b.data()); }

void fuzz_values(std::string_view body) {
    std::vector<kahu::RpcValue> values, again;
    std::string why;
    if (!binrpc::read_values(body, binrpc::Limits{}, values, why)) return;
    const std::string packet = binrpc::write_reply(1, values);
    binrpc::Header header;
    FUZZ_EXPECT(binrpc::read_header(packet, header) == binrpc::HeaderStatus::complete);
    FUZZ_EXPECT(header.packet_bytes() == packet.size());
    FUZZ_EXPECT(
        binrpc::read_values(std::string_view(packet).substr(header.header_bytes), binrpc::Limits{}, again, why));
    FUZZ_EXPECT(std::equal(values.begin(), values.end(), again.begin(), again.end(), same));
}

void fuzz_request(std::string_view body) {
    binrpc::Request request, again;
    std::string why;
    if (!binrpc::read_request(body, binrpc::Limits{}, request, why)) {
        FUZZ_EXPECT(!why.empty());
        return;
    }
    const std::string packet = binrpc::write_request(1, request.method, request.params);
    binrpc::Header header;
    FUZZ_EXPECT(binrpc::read_header(packet, header) == binrpc::HeaderStatus::complete);
    FUZZ_EXPECT(
        binrpc::read_request(std::string_view(packet).substr(header.header_bytes), binrpc::Limits{}, again, why));
    FUZZ_EXPECT(again.method == request.method);
    FUZZ_EXPECT(again.params.size() == request.params.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const Framed framed = frame_request(input);
    if (framed.what == Framed::What::request) {
        const std::string_view body = input.substr(framed.header.header_bytes, framed.header.body_bytes);
        fuzz_request(body);
        fuzz_values(body);
    }
    binrpc::Header header;
    if (binrpc::read_header(input, header) == binrpc::HeaderStatus::complete) {
        fuzz_values(input.substr(header.header_bytes));
        binrpc::Fault fault;
        std::string why;
        (void)binrpc::read_fault(input.substr(header.header_bytes), fault, why);
    }
    fuzz_request(input);
    fuzz_values(input);
    const FifoRequest request = read_fifo_request(input, 4096);
    if (request.what == FifoRequest::What::binary || request.what == FifoRequest::What::text) {
        FUZZ_EXPECT(request.bytes > 0 && request.bytes <= size);
        FUZZ_EXPECT(is_plain_file_name(request.reply_name));
    }
    return 0;
}
