// The whole transport side with real processes and sockets: tcp main, workers, a supervisor that replaces what dies.
// Only the routing script is replaced: every request is answered with its own body's length.
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>

#include <string>
#include <vector>

#include "core/base/fd.h"
#include "core/net/connection_table.h"
#include "core/net/listener.h"
#include "core/net/mailbox.h"
#include "core/net/net_counters.h"
#include "core/net/settings.h"
#include "core/net/tcp_main.h"
#include "core/net/tcp_worker.h"
#include "core/net/udp_worker.h"
#include "core/proc/child.h"
#include "core/proc/process_table.h"
#include "core/proc/supervisor.h"
#include "core/sip/message.h"
#include "mem/segment.h"
#include "mem/slot.h"

namespace kahu::net {
namespace {

constexpr uint16_t kPort = 27160;

std::string request(int number, std::string_view body = "") {
    return "OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK" + std::to_string(number) +
           "\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: x\r\nCSeq: " + std::to_string(number) +
           " OPTIONS\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

void answer(std::string_view bytes, const Inbound& from) {
    static sip::Message message;
    sip::Bad bad{};
    if (!message.parse(bytes, bad)) return;
    const std::string_view method = message.request_uri();
    if (method == "sip:die") ::raise(SIGKILL);
    const std::string reply = "SIP/2.0 200 " + std::to_string(message.body().size()) +
                              "\r\nCSeq: " + std::string(message.first(sip::HeaderId::cseq)->value) +
                              "\r\nContent-Length: 0\r\n\r\n";
    respond(from, from.source, reply);
}

class Client {
  public:
    explicit Client(int type = SOCK_STREAM) : fd_(::socket(AF_INET, type, 0)) {
        const auto to = *SocketAddress::parse_ip("127.0.0.1", kPort);
        connected_ = ::connect(fd_.get(), to.raw(), to.raw_size()) == 0;
    }
    bool connected() const { return connected_; }
    void send(std::string_view bytes) { (void)!::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL); }
    // Until `wanted` times "\r\n\r\n" (or any bytes for a pong) came, the end of the stream, or two seconds.
    std::string receive(size_t wanted, std::string_view end = "\r\n\r\n") {
        std::string got;
        for (;;) {
            size_t count = 0;
            for (size_t at = 0; (at = got.find(end, at)) != got.npos; at += end.size()) ++count;
            if (count >= wanted) return got;
            pollfd wait{fd_.get(), POLLIN, 0};
            if (::poll(&wait, 1, 2000) <= 0) return got + "<timeout>";
            char bytes[65536];
            const ssize_t n = ::recv(fd_.get(), bytes, sizeof bytes, 0);
            if (n <= 0) return got + "<end>";
            got.append(bytes, static_cast<size_t>(n));
        }
    }

  private:
    UniqueFd fd_;
    bool connected_ = false;
};

int udp_role(int slot) { return run_udp_worker(slot); }

class Transport : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        settings.tcp_max_connections.set(64);
        settings.children.set(1);
        supervisor_ = ::fork();
        if (supervisor_ == 0) serve();
        for (int i = 0; i < 200; ++i) {
            if (Client().connected()) return;
            ::usleep(10'000);
        }
    }
    static void TearDownTestSuite() {
        ::kill(supervisor_, SIGTERM);
        int status = -1;
        ::waitpid(supervisor_, &status, 0);
        EXPECT_EQ(status, 0);
    }

    [[noreturn]] static void serve() {
        static constexpr proc::Role roles[] = {{ProcessKind::udp_worker, udp_role},
                                               {ProcessKind::tcp_worker, run_tcp_worker},
                                               {ProcessKind::tcp_main, run_tcp_main}};
        proc::block_supervisor_signals();
        ListenSpec udp, tcp;
        udp.host = tcp.host = "127.0.0.1";
        udp.port = tcp.port = kPort;
        tcp.transport = kahu::Transport::tcp;
        const ListenSpec specs[] = {udp, tcp};
        mem::attach_slot(0);
        const mem::Part parts[] = {{"processes", proc::process_table_bytes(), proc::construct_process_table},
                                   {"counters", stats::layout_bytes(), stats::construct},
                                   {"mailboxes", mailboxes_bytes(), construct_mailboxes},
                                   {"connections", connection_table_bytes(), construct_connection_table}};
        std::string why;
        if (!plan_listeners(specs, true, false) || !bind_listeners() || !mem::create_segment(32 << 20, parts, why))
            ::_exit(9);
        proc::add_process(ProcessKind::supervisor, 0, -1, "supervisor");
        proc::process(0).pid.store(::getpid());
        proc::add_process(ProcessKind::udp_worker, 0, 0, "udp");
        for (int i = 0; i < 2; ++i) proc::make_channel(proc::add_process(ProcessKind::tcp_worker, i, -1, "worker"));
        proc::add_process(ProcessKind::tcp_main, 0, -1, "main");
        set_message_handler(answer);
        proc::Hatchery hatchery;
        hatchery.roles = roles;
        ::_exit(proc::run_supervisor(hatchery));
    }
    static inline pid_t supervisor_ = -1;
};

TEST_F(Transport, AnswersOverTcpAndUdp) {
    for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
        Client client(type);
        client.send(request(1, "four"));
        EXPECT_EQ(client.receive(1), "SIP/2.0 200 4\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n");
    }
}

TEST_F(Transport, PipelinedRequestsAreAnsweredInOrder) {
    Client client;
    std::string all, expected;
    for (int i = 1; i <= 100; ++i) {
        all += request(i, std::string(static_cast<size_t>(i), 'b'));
        expected += "SIP/2.0 200 " + std::to_string(i) + "\r\nCSeq: " + std::to_string(i) +
                    " OPTIONS\r\nContent-Length: 0\r\n\r\n";
    }
    client.send(all);
    EXPECT_EQ(client.receive(100), expected);
}

TEST_F(Transport, ByteByByteIsTheSame) {
    Client client;
    for (const char c : request(7, "body") + request(8)) client.send({&c, 1});
    const std::string got = client.receive(2);
    EXPECT_NE(got.find("200 4\r\nCSeq: 7 "), got.npos) << got;
    EXPECT_NE(got.find("200 0\r\nCSeq: 8 "), got.npos) << got;
}

TEST_F(Transport, PingIsAnsweredByPong) {
    Client client;
    client.send("\r\n\r\n");
    EXPECT_EQ(client.receive(1, "\r\n"), "\r\n");
}

TEST_F(Transport, LargeMessagesPassAndTooLargeOnesAreRefused) {
    Client client;
    client.send(request(1, std::string(60'000, 'x')));
    EXPECT_NE(client.receive(1).find("200 60000"), std::string::npos);
    client.send(request(2, std::string(100'000, 'x')));
    const std::string refused = client.receive(1);
    EXPECT_EQ(refused.substr(0, 12), "SIP/2.0 513 ") << refused;
    EXPECT_NE(client.receive(9).find("<end>"), std::string::npos);
}

TEST_F(Transport, AConnectionSurvivesTheDeathOfItsWorkers) {
    std::vector<Client> clients(20);
    for (Client& client : clients) {
        client.send(request(1));
        ASSERT_NE(client.receive(1).find("200 0"), std::string::npos);
        client.send(request(2).substr(0, 50));  // half a message: the successor gets it from the segment
    }
    ::usleep(50'000);
    for (int kills = 0; kills < 2; ++kills) {
        Client killer;
        std::string die = request(1);
        die.replace(die.find("sip:127.0.0.1"), 13, "sip:die");
        killer.send(die);
        EXPECT_NE(killer.receive(1).find("<end>"), std::string::npos);  // the one that it was working on is lost
    }
    for (Client& client : clients) {
        client.send(request(2).substr(50));
        const std::string got = client.receive(1);
        EXPECT_NE(got.find("CSeq: 2 "), got.npos) << got;
    }
}

TEST_F(Transport, MoreConnectionsThanTheLimitAreRefusedAndComeInLater) {
    const auto answered_of_70 = [] {
        std::vector<Client> clients(70);
        return std::count_if(clients.begin(), clients.end(), [](Client& client) {
            client.send(request(1));
            return client.receive(1).find("200 0") != std::string::npos;
        });
    };
    // Connections that an earlier test closed count until their worker saw their end.
    auto answered = answered_of_70();
    for (int round = 0; round < 20 && answered < 64; ++round) {
        ::usleep(300'000);
        answered = answered_of_70();
    }
    EXPECT_EQ(answered, 64);
    bool late_is_answered = false;
    for (int round = 0; round < 20 && !late_is_answered; ++round) {
        ::usleep(300'000);
        Client late;
        late.send(request(1));
        late_is_answered = late.receive(1).find("200 0") != std::string::npos;
    }
    EXPECT_TRUE(late_is_answered);
}

}  // namespace
}  // namespace kahu::net
