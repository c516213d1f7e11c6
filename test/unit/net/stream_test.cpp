// Turns of one connection, driven by hand over a socket pair.
#include "core/net/stream.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <string>

#include "core/base/fd.h"
#include "core/net/dispatch.h"
#include "mem/heap_stats.h"
#include "test/unit/net/segment.h"

namespace kahu::net {
namespace {

constexpr size_t kAnswerBytes = 1000;
const std::string kRequest = "OPTIONS sip:x SIP/2.0\r\nContent-Length: 0\r\n\r\n";

class Stream : public WithSegment {
  protected:
    Stream() : WithSegment(16) {}
    void SetUp() override {
        WithSegment::SetUp();
        proc::add_process(ProcessKind::supervisor, 0, -1, "test");
        set_message_handler([](std::string_view, const Inbound& from) {
            (void)send_on(from.connection, std::string(kAnswerBytes, 'a'));
        });
        int ends[2];
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
        ours_.reset(ends[0]);
        peer_.reset(ends[1]);
        const int small = 1;  // the kernel makes it some kilobytes
        ::setsockopt(ours_.get(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
        link_.row = new (&connection_row(0)) Connection{};
        link_.row->transport = Transport::tcp;
        link_.row->state.store(ConnectionState::established);
        link_.id = next_id(*link_.row);
        link_.fd = ours_.get();
        publish_connection(*link_.row, link_.id);
    }
    void TearDown() override {
        empty_connection(*link_.row);
        WithSegment::TearDown();
    }
    void ask(int times) {
        for (int i = 0; i < times; ++i)
            ASSERT_EQ(::send(peer_.get(), kRequest.data(), kRequest.size(), 0), static_cast<ssize_t>(kRequest.size()));
    }
    size_t take() {
        char bytes[65536];
        const ssize_t got = ::recv(peer_.get(), bytes, sizeof bytes, 0);
        return got > 0 ? static_cast<size_t>(got) : 0;
    }

    UniqueFd ours_, peer_;
    Link link_;
};

// A peer that always leaves a little would otherwise make the buffer grow for as long as the connection lasts.
TEST_F(Stream, WhatThePeerTookIsGivenUpThoughSomethingIsAlwaysLeft) {
    const auto most = static_cast<uint32_t>(settings.tcp_conn_wq_max);
    size_t taken = 0;
    ask(30);
    ASSERT_EQ(read_turn(link_), TurnEnd::open);
    for (int i = 0; i < 2000; ++i) {
        taken += take();
        ASSERT_EQ(write_turn(link_), TurnEnd::open);
        ASSERT_NE(link_.row->tx, nullptr) << "the peer took all; the test shows nothing";
        ask(8);
        ASSERT_EQ(read_turn(link_), TurnEnd::open);
        ASSERT_LE(link_.row->tx_bytes - link_.row->tx_at, most);
    }
    EXPECT_GT(taken, size_t{most} * 10);
    EXPECT_LE(link_.row->tx_capacity, most * 2);
    while (size_t got = take()) {  // nothing is lost or doubled on the way
        taken += got;
        ASSERT_EQ(write_turn(link_), TurnEnd::open);
    }
    EXPECT_EQ(taken % kAnswerBytes, 0u);
    EXPECT_EQ(link_.row->queued_bytes.load(), 0u);
    EXPECT_EQ(mem::heap_stats().used, 0u);
}

}  // namespace
}  // namespace kahu::net
