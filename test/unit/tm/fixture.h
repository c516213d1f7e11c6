// test/unit/tm/fixture.h -- module tm with a script, a table in a fresh segment, and nothing leaving the process.
#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/modules/sl/module.h"
#include "core/modules/tm/module.h"
#include "core/modules/tm/table.h"
#include "core/modules/tm/timer.h"
#include "core/modules/tm/transport.h"
#include "core/net/connection_table.h"
#include "core/net/listener.h"
#include "core/sip/builder.h"
#include "mem/recover.h"
#include "mem/segment.h"
#include "mem/slot.h"
#include "test/unit/script/harness.h"

namespace kahu::tm::test {

struct Outgoing {
    std::string to;  // "udp:127.0.0.1:5099"
    std::string text;
    uint64_t ticket = 0;
    std::string first_line() const { return text.substr(0, text.find("\r\n")); }
};
inline std::vector<Outgoing> g_down, g_up;
inline net::Sent g_verdict = net::Sent::ok;

inline net::Sent record_down(const Hop& to, std::string_view bytes, uint64_t ticket) {
    g_down.push_back({std::string(name_of(to.transport)) + ":" + to.address.text(), std::string(bytes), ticket});
    return g_verdict;
}
inline net::Sent record_up(const net::Inbound&, const SocketAddress& to, std::string_view bytes) {
    g_up.push_back({to.text(), std::string(bytes)});
    return net::Sent::ok;
}

// fork_to("sip:..."): one more target, as append_branch() and lookup() add them.
inline int fork_to(script::Run& run, const script::Args& args) {
    return run.branches.add({.uri = run.arena().copy(args.text(run, 0))}) ? 1 : -1;
}
inline constexpr Function kForkFunctions[] = {{"fork_to", 1, 1, "(string uri)", "Adds a target.", kAnyRoute, fork_to}};
inline const ModuleDescriptor kForkModule{.name = "fork", .summary = "For tests.", .functions = kForkFunctions};

class TmTest : public testing::Test {
  protected:
    void SetUp() override {
        const mem::Part parts[] = {
            {"transactions", table_bytes(), construct_table},
            {"connections", net::connection_table_bytes(), net::construct_connection_table},
        };
        std::string why;
        ASSERT_TRUE(mem::create_segment(32 << 20, parts, why)) << why;
        mem::attach_slot(0);
        net::ListenSpec udp{.transport = Transport::udp, .host = "127.0.0.1", .port = 28500, .where = "test"};
        net::ListenSpec tcp{.transport = Transport::tcp, .host = "127.0.0.1", .port = 28500, .where = "test"};
        const net::ListenSpec specs[] = {udp, tcp};
        ASSERT_TRUE(net::plan_listeners(specs, true, false));
        ASSERT_TRUE(kModule.hooks.start());
        transmit().send_to = record_down;
        transmit().respond = record_up;
        g_verdict = net::Sent::ok;
        forget();
    }
    void TearDown() override {
        script_.reset();
        mem::destroy_segment();
        mem::attach_slot(-1);
    }

    // `body` of request_route; further routes behind it.
    void script(const std::string& body, const std::string& routes = "") {
        script_ = std::make_unique<script::test::Script>(
            "request_route {\n" + body + "\n}\n" + routes,
            std::vector<const ModuleDescriptor*>{&kModule, &kTmxModule, &sl::kModule, &kForkModule});
        ASSERT_NE(script_->program, nullptr) << script_->found.text();
    }
    void forget() { g_down.clear(), g_up.clear(); }
    void receive(const std::string& bytes, Transport transport = Transport::udp) {
        net::Inbound inbound;
        inbound.transport = transport;
        inbound.listener = transport == Transport::udp ? 0 : 1;
        inbound.source = *SocketAddress::parse_ip("127.0.0.1", 28600);
        inbound.local = *SocketAddress::parse_ip("127.0.0.1", 28500);
        log_ = script_->send(bytes, inbound);
    }
    void wait(clock::Millis ms) {
        passed_ += ms;
        run_timers(clock::now_ms() + passed_);
    }
    static size_t transactions() {
        size_t count = 0;
        for (uint32_t i = 0; i < kShards; ++i) {
            const Locked shard(i);
            for (const Transaction* t = shard.first(); t != nullptr; t = t->next) ++count;
        }
        return count;
    }

    // There is no process table here that would count incarnations: what a dead process decided is marked as such.
    static void note_death(int slot) {
        for (uint32_t i = 0; i < kShards; ++i) {
            const Locked shard(i);
            for (Transaction* t = shard.first(); t != nullptr; t = t->next)
                if (t->decider == slot + 1) t->decider_life = 4711;
        }
    }
    static void everything_is_valid() {
        for (uint32_t i = 0; i < kShards; ++i) {
            const Locked shard(i);
            for (const Transaction* t = shard.first(); t != nullptr; t = t->next) ASSERT_TRUE(t->is_valid());
        }
    }

    std::unique_ptr<script::test::Script> script_;
    script::test::Outcome log_;
    clock::Millis passed_ = 0;
};

inline std::string invite(std::string_view method = "INVITE", std::string_view branch = "z9hG4bKa1",
                          std::string_view more = "", std::string_view cseq_method = "") {
    std::string out(method);
    out += " sip:bob@127.0.0.1:28700 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:28600;rport;branch=";
    out.append(branch).append("\r\nMax-Forwards: 70\r\nFrom: <sip:alice@a.example>;tag=f1\r\n");
    out.append("To: <sip:bob@b.example>")
        .append(method == "ACK" ? ";tag=t1" : "")
        .append("\r\nCall-ID: c1\r\nCSeq: 1 ");
    out.append(cseq_method.empty() ? method : cseq_method).append("\r\n").append(more);
    return out + "Content-Length: 0\r\n\r\n";
}

// A reply to the request that was sent downstream, as its far end would make it.
inline std::string reply_to(const std::string& request, int status, std::string_view tag = "t1",
                            std::string_view more = "") {
    sip::Message message;
    sip::Bad bad;
    EXPECT_TRUE(message.parse(request, bad)) << request;
    sip::ReplyOptions options;
    options.to_tag = tag;
    options.extra_headers = more;
    std::string out;
    sip::build_reply(message, status, "", options, out);
    return out;
}

}  // namespace kahu::tm::test
