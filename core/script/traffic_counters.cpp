#include "core/script/traffic_counters.h"

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "core/stats/counters.h"

namespace kahu::script {
namespace {

using sip::Method;

constexpr size_t kMethods = static_cast<size_t>(Method::other);

// What is counted for requests and replies alike.
struct Ways {
    uint16_t received, forwarded, dropped, failed;
};
Ways g_requests, g_replies;
uint16_t g_unsupported_methods, g_bad_uris, g_bad_headers, g_ringing;
uint16_t g_by_method[kMethods];

// Names as in Kamailio; others are counted in rcv_requests alone.
constexpr std::array<std::string_view, kMethods> kMethodWords = {"invite",   "ack",   "bye",    "cancel",    "options",
                                                                 "register", "prack", "update", "subscribe", "notify",
                                                                 "publish",  "info",  "refer",  "message"};

constexpr int kSingleReplies[] = {401, 404, 407, 480, 486};
uint16_t g_single_replies[std::size(kSingleReplies)];
uint16_t g_by_class[7];

struct ReplyMethod {
    Method method;
    std::string_view word;
};
constexpr ReplyMethod kReplyMethods[] = {
    {Method::invite, "invite"}, {Method::cancel, "cancel"},   {Method::bye, "bye"},       {Method::register_, "reg"},
    {Method::prack, "prack"},   {Method::message, "message"}, {Method::update, "update"}, {Method::refer, "refer"}};
uint16_t g_by_class_and_method[7][std::size(kReplyMethods)];

void count_request(const sip::Message& request) {
    stats::add(g_requests.received);
    const auto method = static_cast<size_t>(request.method());
    stats::add(method < kMethods ? g_by_method[method] : g_unsupported_methods);
}

void count_reply(const sip::Message& reply) {
    stats::add(g_replies.received);
    const int status = reply.status(), of_class = status / 100;
    if (of_class < 1 || of_class > 6) return;
    stats::add(g_by_class[of_class]);
    if (status / 10 == 18) stats::add(g_ringing);
    for (size_t i = 0; i < std::size(kSingleReplies); ++i)
        if (kSingleReplies[i] == status) stats::add(g_single_replies[i]);
    const sip::CSeq* const cseq = reply.cseq();
    if (cseq == nullptr) return;
    for (size_t i = 0; i < std::size(kReplyMethods); ++i)
        if (kReplyMethods[i].method == cseq->method) stats::add(g_by_class_and_method[of_class][i]);
}

std::string_view text(std::string made) {
    static std::vector<std::unique_ptr<const std::string>> kept;
    return *kept.emplace_back(std::make_unique<const std::string>(std::move(made)));
}

std::vector<Counter> make_rows() {
    std::vector<Counter> rows;
    const auto row = [&](std::string name, std::string help, uint16_t& id) {
        rows.push_back({"core", text(std::move(name)), CounterKind::counter, text(std::move(help)), &id});
    };
    row("rcv_requests", "Requests received.", g_requests.received);
    row("fwd_requests", "Requests sent on without a transaction.", g_requests.forwarded);
    row("drop_requests", "Requests that the script dropped, or that could not even be answered.", g_requests.dropped);
    row("err_requests", "Requests refused as malformed, or that could not be sent on without a transaction.",
        g_requests.failed);
    row("rcv_replies", "Replies received.", g_replies.received);
    row("fwd_replies", "Replies sent on without a transaction.", g_replies.forwarded);
    row("drop_replies", "Replies that the script dropped.", g_replies.dropped);
    row("err_replies", "Replies that were malformed, or could not be sent on without a transaction.", g_replies.failed);
    row("unsupported_methods", "Requests of methods that are not known.", g_unsupported_methods);
    row("bad_URIs_rcvd", "Requests with a Request-URI that is none, or of a scheme that is not known.", g_bad_uris);
    row("bad_msg_hdr", "Messages with headers that are missing or malformed.", g_bad_headers);
    for (size_t i = 0; i < kMethods; ++i)
        row("rcv_requests_" + std::string(kMethodWords[i]), std::string(sip::kMethodNames[i]) + " requests received.",
            g_by_method[i]);
    row("rcv_replies_18x", "Replies 180 to 189 received.", g_ringing);
    for (size_t i = 0; i < std::size(kSingleReplies); ++i)
        row("rcv_replies_" + std::to_string(kSingleReplies[i]),
            "Replies " + std::to_string(kSingleReplies[i]) + " received.", g_single_replies[i]);
    for (int of_class = 1; of_class <= 6; ++of_class) {
        const std::string digits = std::to_string(of_class) + "xx";
        row("rcv_replies_" + digits, "Replies " + digits + " received.", g_by_class[of_class]);
        for (size_t i = 0; i < std::size(kReplyMethods); ++i)
            row("rcv_replies_" + digits + "_" + std::string(kReplyMethods[i].word),
                "Replies " + digits + " to " + std::string(sip::method_name(kReplyMethods[i].method)) + " received.",
                g_by_class_and_method[of_class][i]);
    }
    return rows;
}

}  // namespace

std::span<const Counter> traffic_counters() {
    static const std::vector<Counter> rows = make_rows();
    return rows;
}

void count_received(const sip::Message& message, const sip::Validation& verdict) {
    const bool request = message.is_request();
    if (request) count_request(message);
    else if (message.status() != 0) count_reply(message);
    else return;
    if (verdict.verdict == sip::Verdict::accept) return;
    const bool bad_uri = request && !message.request_uri().empty() && message.parsed_request_uri() == nullptr;
    stats::add(bad_uri || verdict.status == 416 ? g_bad_uris : g_bad_headers);
    if (verdict.verdict == sip::Verdict::reject) stats::add(g_requests.failed);
    else stats::add(request ? g_requests.dropped : g_replies.failed);
}

void count_forwarded(bool request, bool sent) {
    const Ways& ways = request ? g_requests : g_replies;
    stats::add(sent ? ways.forwarded : ways.failed);
}
void count_dropped(bool request) { stats::add(request ? g_requests.dropped : g_replies.dropped); }

}  // namespace kahu::script
