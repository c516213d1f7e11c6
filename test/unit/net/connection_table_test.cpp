#include "core/net/connection_table.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "core/net/handover.h"
#include "mem/heap_stats.h"
#include "test/unit/net/segment.h"

namespace kahu::net {
namespace {

class Table : public WithSegment {
  protected:
    Table() : WithSegment(16) {}
    void SetUp() override {
        WithSegment::SetUp();
        proc::add_process(ProcessKind::supervisor, 0, -1, "test");
        proc::add_process(ProcessKind::tcp_worker, 0, -1, "worker");
    }
    static Connection& fresh(size_t index) {
        Connection& row = connection_row(index);
        if (row.uses == 0) new (&row) Connection{};
        row.owner.store(1);
        return row;
    }
};

TEST_F(Table, AnIdIsFoundWhilePublishedAndNeverComesBack) {
    std::set<uint64_t> seen;
    Connection& row = fresh(3);
    for (int use = 0; use < 50; ++use) {
        const ConnectionId id = next_id(row);
        EXPECT_TRUE(seen.insert(static_cast<uint64_t>(id)).second);
        EXPECT_EQ(find_connection(id), nullptr);
        publish_connection(row, id);
        EXPECT_EQ(find_connection(id), &row);
        row.id.store(0);
        EXPECT_EQ(find_connection(id), nullptr);
    }
    EXPECT_EQ(open_connections(), 0u);
    EXPECT_EQ(find_connection(ConnectionId::none), nullptr);
    EXPECT_EQ(find_connection(ConnectionId{UINT64_MAX}), nullptr);
}

TEST_F(Table, RetiredRowsComeBackOnceFromAllProcesses) {
    constexpr size_t kRows = 40;
    for (size_t i = 0; i < kRows; ++i) fresh(i);
    for (size_t part = 0; part < 2; ++part) {
        if (::fork() == 0) {
            for (size_t i = part; i < kRows; i += 2) retire_connection(connection_row(i));
            ::_exit(0);
        }
    }
    std::multiset<size_t> taken;
    const auto take = [](void* into, size_t index) { static_cast<std::multiset<size_t>*>(into)->insert(index); };
    for (int i = 0; i < 2000 && taken.size() < kRows; ++i) {
        take_retired(take, &taken);
        ::usleep(500);
    }
    while (::wait(nullptr) > 0) {
    }
    take_retired(take, &taken);
    EXPECT_EQ(taken.size(), kRows);
    EXPECT_EQ(std::set<size_t>(taken.begin(), taken.end()).size(), kRows);
}

TEST_F(Table, SendingFromAnotherProcessQueuesRingsAndIsBounded) {
    Connection& row = fresh(0);
    const ConnectionId id = next_id(row);
    publish_connection(row, id);
    settings.tcp_conn_wq_max.set(1024);
    EXPECT_EQ(send_on(id, std::string(600, 'a')), Sent::ok);
    uint64_t rings = 0;
    EXPECT_EQ(::read(proc::doorbell(1), &rings, sizeof rings), ssize_t{sizeof rings});
    char unsent = 0;
    row.tx = &unsent;  // the peer does not take what it gets
    EXPECT_EQ(send_on(id, std::string(600, 'b')), Sent::queue_full);
    row.tx = nullptr;  // the owner is late, that is all
    EXPECT_EQ(send_on(id, std::string(600, 'c')), Sent::ok);
    EXPECT_EQ(send_on(id, std::string((1 << 20) - 1200, 'd')), Sent::ok);
    EXPECT_EQ(send_on(id, "e"), Sent::queue_full);
    EXPECT_EQ(row.queued_bytes.load(), 1u << 20);
    size_t got = 0;
    row.outgoing.consume([&](Outgoing& message) { got += message.bytes; }, SIZE_MAX);
    EXPECT_EQ(got, 1u << 20);
    mailbox(1).consume([](Mail&) {}, SIZE_MAX);
    EXPECT_EQ(mem::heap_stats().used, 0u);
    row.id.store(0);
    EXPECT_EQ(send_on(id, "x"), Sent::gone);
    settings.tcp_conn_wq_max.set(32 * 1024);
}

TEST_F(Table, RequestCloseReachesTheOwnersMailbox) {
    Connection& row = fresh(5);
    const ConnectionId id = next_id(row);
    publish_connection(row, id);
    EXPECT_TRUE(request_close(id));
    EXPECT_TRUE(row.kill.load());
    MailKind kind = MailKind::flush;
    mailbox(1).consume([&](Mail& mail) { kind = mail.kind; }, SIZE_MAX);
    EXPECT_EQ(kind, MailKind::close);
    EXPECT_FALSE(request_close(ConnectionId{999999}));
}

TEST(Handover, CarriesIdsAndDescriptorsTogether) {
    int ends[2], files[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends), 0);
    ASSERT_EQ(::pipe(files), 0);
    Handover out;
    out.count = 2;
    out.ids = {17, 18};
    out.fds = {files[0], files[1]};
    ASSERT_TRUE(send_handover(ends[0], out));
    Handover in;
    ASSERT_TRUE(receive_handover(ends[1], in));
    ASSERT_EQ(in.count, 2u);
    EXPECT_EQ(in.ids[1], 18u);
    ASSERT_EQ(::write(in.fds[1], "x", 1), 1);
    char byte = 0;
    EXPECT_EQ(::read(files[0], &byte, 1), 1);
    EXPECT_FALSE(receive_handover(ends[1], in));
    Handover bare;
    bare.kind = HandoverKind::adopt;
    ASSERT_TRUE(send_handover(ends[0], bare));
    ASSERT_TRUE(receive_handover(ends[1], in));
    EXPECT_EQ(in.kind, HandoverKind::adopt);
    EXPECT_EQ(in.count, 0u);
    for (const int fd : {ends[0], ends[1], files[0], files[1]}) ::close(fd);
}

}  // namespace
}  // namespace kahu::net
