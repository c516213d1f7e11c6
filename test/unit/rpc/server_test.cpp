// The server as a whole: every transport, slow and hostile clients, Debian's kamcmd.
#include "rpc/server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <thread>

#include "core/base/clock.h"
#include "rpc/binrpc.h"
#include "test/unit/rpc/test_server.h"

namespace kahu::rpc::testing_server {
namespace {

class Server : public testing::Test {
  protected:
    static void SetUpTestSuite() { server = new TestServer; }
    static void TearDownTestSuite() {
        EXPECT_TRUE(server->alive());
        delete server;
        server = nullptr;
    }
    static std::string version() { return "kahu 1.2.3 (x86_64/linux)"; }
    static std::string text_of(const Outcome& outcome) {
        return outcome.values.empty() ? outcome.fault : std::get<std::string>(outcome.values[0].data());
    }
    static void expect_others_are_served() {
        const clock::Millis before = clock::read();
        EXPECT_EQ(text_of(ask(server->stream(), "core.version")), version());
        EXPECT_LT(clock::read() - before, 500);
    }
    static TestServer* server;
};
TestServer* Server::server = nullptr;

sockaddr_in loopback(int port) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(static_cast<uint16_t>(port));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return at;
}

TEST_F(Server, AnswersOverTheStreamSocket) {
    EXPECT_EQ(text_of(ask(server->stream(), "core.version")), version());
    EXPECT_EQ(ask(server->stream(), "nosuch").fault, "500 command nosuch not found");
    struct stat file {};
    ASSERT_EQ(::stat(server->stream().c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 0777, 0600u);
}

TEST_F(Server, AnswersOverTcpAndUdp) {
    for (const auto& [type, port] :
         {std::pair{SOCK_STREAM, TestServer::kTcpPort}, {SOCK_DGRAM, TestServer::kUdpPort}}) {
        const UniqueFd fd(::socket(AF_INET, type, 0));
        const sockaddr_in at = loopback(port);
        ASSERT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
        ASSERT_TRUE(send_all(fd.get(), binrpc::write_request(5, "core.version", {})));
        EXPECT_EQ(text_of(outcome_of(receive_packet(fd.get()))), version());
    }
}

TEST_F(Server, DatagramsTooLargeBecomeAFault) {
    const UniqueFd fd(::socket(AF_INET, SOCK_DGRAM, 0));
    const sockaddr_in at = loopback(TestServer::kUdpPort);
    ASSERT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
    ASSERT_TRUE(send_all(fd.get(), binrpc::write_request(5, "test.large", {int64_t{100000}})));
    EXPECT_NE(outcome_of(receive_packet(fd.get())).fault.find("too many for a datagram"), std::string::npos);
    ASSERT_TRUE(send_all(fd.get(), std::string_view("\xa1\x00\x05", 3)));
    EXPECT_NE(outcome_of(receive_packet(fd.get())).fault.find("400 bad request"), std::string::npos);
}

TEST_F(Server, AnswersUnixDatagrams) {
    const UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM, 0));
    sockaddr_un own{};
    own.sun_family = AF_UNIX;
    std::snprintf(own.sun_path, sizeof own.sun_path, "%s", server->path("own").c_str());
    ASSERT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own), 0);
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::snprintf(to.sun_path, sizeof to.sun_path, "%s", server->datagram().c_str());
    ASSERT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    ASSERT_TRUE(send_all(fd.get(), binrpc::write_request(5, "core.version", {})));
    EXPECT_EQ(text_of(outcome_of(receive_packet(fd.get()))), version());
}

TEST_F(Server, TakesRequestsByteByByteAndPipelined) {
    const UniqueFd fd = connect_to(server->stream(), SOCK_STREAM);
    for (const char byte : binrpc::write_request(1, "core.version", {})) ASSERT_TRUE(send_all(fd.get(), {&byte, 1}));
    EXPECT_EQ(text_of(outcome_of(receive_packet(fd.get()))), version());
    std::string many;
    for (uint32_t i = 1; i <= 500; ++i) many += binrpc::write_request(i, "core.echo", {std::to_string(i)});
    ASSERT_TRUE(send_all(fd.get(), many));
    for (uint32_t i = 1; i <= 500; ++i) ASSERT_EQ(text_of(outcome_of(receive_packet(fd.get()))), std::to_string(i));
}

TEST_F(Server, AnswersAClientThatClosedItsSide) {
    const UniqueFd fd = connect_to(server->stream(), SOCK_STREAM);
    ASSERT_TRUE(
        send_all(fd.get(), binrpc::write_request(1, "core.version", {}) + binrpc::write_request(2, "core.pwd", {})));
    ::shutdown(fd.get(), SHUT_WR);
    EXPECT_EQ(text_of(outcome_of(receive_packet(fd.get()))), version());
    EXPECT_NE(receive_packet(fd.get()), "");
    char byte;
    EXPECT_EQ(::read(fd.get(), &byte, 1), 0);
}

TEST_F(Server, ClosesOnGarbageAfterAFault) {
    const UniqueFd fd = connect_to(server->stream(), SOCK_STREAM);
    ASSERT_TRUE(send_all(fd.get(), "GET / HTTP/1.0\r\n\r\n"));
    EXPECT_EQ(outcome_of(receive_packet(fd.get())).fault, "400 bad request: corrupted packet");
    char byte;
    EXPECT_EQ(::read(fd.get(), &byte, 1), 0);
}

TEST_F(Server, LargeAnswersArriveWhole) {
    const Outcome outcome = ask(server->stream(), "test.large", {int64_t{5'000'000}});
    EXPECT_EQ(text_of(outcome).size(), 5'000'000u);
}

TEST_F(Server, AClientThatDoesNotReadIsDroppedAndOthersGoOn) {
    const UniqueFd fd = connect_to(server->stream(), SOCK_STREAM);
    std::string many;
    for (int i = 0; i < 20; ++i) many += binrpc::write_request(1, "test.large", {int64_t{1'000'000}});
    ASSERT_TRUE(send_all(fd.get(), many));
    expect_others_are_served();
    std::this_thread::sleep_for(std::chrono::milliseconds(3500));
    expect_others_are_served();
    size_t got = 0;  // what the kernel held; then the end
    std::string buffer(1 << 20, '\0');
    for (ssize_t n = 0; (n = ::read(fd.get(), buffer.data(), buffer.size())) > 0;) got += static_cast<size_t>(n);
    EXPECT_LT(got, 2'000'000u);
}

TEST_F(Server, TheIdlestClientGivesWay) {
    std::vector<UniqueFd> idle;
    for (int i = 0; i < 12; ++i) {
        idle.push_back(connect_to(server->stream(), SOCK_STREAM));
        ASSERT_TRUE(send_all(idle.back().get(), binrpc::write_request(1, "core.pwd", {})));
        ASSERT_NE(receive_packet(idle.back().get()), "");
    }
    expect_others_are_served();
    ASSERT_TRUE(send_all(idle.back().get(), binrpc::write_request(1, "core.pwd", {})));
    EXPECT_NE(receive_packet(idle.back().get()), "");
    char byte;
    EXPECT_EQ(::recv(idle.front().get(), &byte, 1, MSG_DONTWAIT), 0) << "the first one was closed";
}

// --- FIFO ------------------------------------------------------------------------------------------

class Fifo : public Server {
  protected:
    static UniqueFd reply_fifo(const std::string& path) {
        ::unlink(path.c_str());
        if (::mkfifo(path.c_str(), 0600) != 0) return {};
        return UniqueFd(::open(path.c_str(), O_RDWR | O_NONBLOCK));
    }
    static void request(const std::string& bytes) {
        const UniqueFd fd(::open(server->fifo().c_str(), O_WRONLY));
        ASSERT_EQ(::write(fd.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    }
    static std::string read_text(int fd) {
        std::string out(65536, '\0');
        for (int i = 0; i < 100; ++i) {
            const ssize_t n = ::read(fd, out.data(), out.size());
            if (n > 0) return out.substr(0, static_cast<size_t>(n));
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        return {};
    }
};

TEST_F(Fifo, AnswersBinaryAndText) {
    const UniqueFd reply = reply_fifo(server->path("r1"));
    request("r1\n" + binrpc::write_request(3, "core.version", {}));
    EXPECT_EQ(text_of(outcome_of(receive_packet(reply.get()))), version());
    request(":core.version:r1\n\n");
    EXPECT_EQ(read_text(reply.get()), "200 OK\n" + version() + "\n");
    request(":core.shmmem:r1\nx\n\n");
    EXPECT_EQ(read_text(reply.get()), "500 bad param, (use b|k|m|g)\n");
    request(":core.tcp_info:r1\n\n");
    EXPECT_EQ(
        read_text(reply.get()),
        "200 OK\nreaders:0,max_connections:2048,max_tls_connections:2048,opened_connections:0,opened_tls_connections:0,"
        "write_queued_bytes:0\n");
}

TEST_F(Fifo, TextRepliesMayBeInTmp) {
    const std::string name = "kahu-rpc-test-reply-" + std::to_string(::getpid());
    const UniqueFd reply = reply_fifo("/tmp/" + name);
    request(":core.version:" + name + "\n\n");
    EXPECT_EQ(read_text(reply.get()), "200 OK\n" + version() + "\n");
    ::unlink(("/tmp/" + name).c_str());
}

TEST_F(Fifo, AReaderMayComeLate) {
    const std::string path = server->path("late");
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    request("late\n" + binrpc::write_request(3, "core.version", {}));
    expect_others_are_served();
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    const UniqueFd reply(::open(path.c_str(), O_RDONLY | O_NONBLOCK));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    EXPECT_EQ(text_of(outcome_of(receive_packet(reply.get()))), version());
}

TEST_F(Fifo, AbsentAndSlowReadersCostNobodyElse) {
    ASSERT_EQ(::mkfifo(server->path("nobody").c_str(), 0600), 0);
    const UniqueFd slow = reply_fifo(server->path("slow"));
    for (int i = 0; i < 20; ++i) request("nobody\n" + binrpc::write_request(3, "core.version", {}));
    request("slow\n" + binrpc::write_request(3, "test.large", {int64_t{1'000'000}}));
    const UniqueFd good = reply_fifo(server->path("good"));
    request("good\n" + binrpc::write_request(3, "core.version", {}));
    EXPECT_EQ(text_of(outcome_of(receive_packet(good.get()))), version());
    expect_others_are_served();
}

TEST_F(Fifo, NamesThatAreNoFifoOfTheClientAreNotWrittenTo) {
    const std::string plain = server->path("plain");
    const UniqueFd file(::open(plain.c_str(), O_CREAT | O_RDWR, 0600));
    const UniqueFd real = reply_fifo(server->path("real"));
    ASSERT_EQ(::symlink(server->path("real").c_str(), server->path("link").c_str()), 0);
    const std::string packet = binrpc::write_request(3, "core.version", {});
    for (const char* name : {"plain", "link", "missing", "fifo", "../x"}) request(name + ("\n" + packet));
    request("garbage that never ends a name " + std::string(300, 'x'));
    const UniqueFd good = reply_fifo(server->path("good2"));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    request("good2\n" + packet);
    EXPECT_EQ(text_of(outcome_of(receive_packet(good.get()))), version());
    struct stat state {};
    ::fstat(file.get(), &state);
    EXPECT_EQ(state.st_size, 0);
    char byte;
    EXPECT_EQ(::read(real.get(), &byte, 1), -1);
}

TEST_F(Fifo, HalfARequestIsForgotten) {
    request("half\n\xa1");
    const UniqueFd good = reply_fifo(server->path("after"));
    std::this_thread::sleep_for(std::chrono::milliseconds(2300));
    request("after\n" + binrpc::write_request(3, "core.version", {}));
    EXPECT_EQ(text_of(outcome_of(receive_packet(good.get()))), version());
}

// --- programs --------------------------------------------------------------------------------------

TEST_F(Server, DebiansKamcmdWorksUnchanged) {
    if (::access("/usr/sbin/kamcmd", X_OK) != 0) GTEST_SKIP() << "kamcmd is not installed";
    const std::string kamcmd = "timeout 5 /usr/sbin/kamcmd -s unix:" + server->stream() + " ";
    EXPECT_EQ(run(kamcmd + "core.version"), version() + "\n");
    EXPECT_EQ(run(kamcmd + "nosuch"), "error: 500 - command nosuch not found\n");
    EXPECT_EQ(run(kamcmd + "core.udp4_raw_info"), "{\n\tudp4_raw: 0\n\tudp4_raw_mtu: 1500\n\tudp4_raw_ttl: 64\n}\n");
    EXPECT_EQ(run(kamcmd + "core.modules"), "tls\nctl\n");
    EXPECT_EQ(run(kamcmd + "core.echo a s:5 2.5 -- -7"), "a\n5\n2.500\n-7\n");
    EXPECT_EQ(run(kamcmd + "core.printl 5"), "5\n");
    EXPECT_NE(run(kamcmd + "ps").find("\tmain process - attendant\n"), std::string::npos);
    EXPECT_EQ(
        run("timeout 5 /usr/sbin/kamcmd -s tcp:127.0.0.1:" + std::to_string(TestServer::kTcpPort) + " core.version"),
        version() + "\n");
    EXPECT_EQ(
        run("timeout 5 /usr/sbin/kamcmd -s udp:127.0.0.1:" + std::to_string(TestServer::kUdpPort) + " core.version"),
        version() + "\n");
    EXPECT_EQ(run("timeout 5 /usr/sbin/kamcmd -s unixd:" + server->datagram() + " core.version"), version() + "\n");
}

std::string kahucmd() {
    const char* source = std::getenv("KAHU_SOURCE_DIR");
    const std::string path = std::string(source != nullptr ? source : ".") + "/build/kahucmd";
    return ::access(path.c_str(), X_OK) == 0 ? path : "";
}

TEST_F(Server, KahucmdOverEveryTransport) {
    if (kahucmd().empty()) GTEST_SKIP() << "build/kahucmd is not built";
    for (const std::string& address :
         {"unix:" + server->stream(), "unixd:" + server->datagram(), "fifo:" + server->fifo(),
          "tcp:127.0.0.1:" + std::to_string(TestServer::kTcpPort),
          "udp:127.0.0.1:" + std::to_string(TestServer::kUdpPort)}) {
        int status = -1;
        EXPECT_EQ(run(kahucmd() + " -s " + address + " ver", &status), version() + "\n") << address;
        EXPECT_EQ(status, 0);
    }
}

TEST_F(Server, KahucmdPrintsAsAsked) {
    if (kahucmd().empty()) GTEST_SKIP() << "build/kahucmd is not built";
    const std::string command = kahucmd() + " -s unix:" + server->stream() + " ";
    int status = -1;
    EXPECT_EQ(run(command + "core.udp4_raw_info"), "{\n\tudp4_raw: 0\n\tudp4_raw_mtu: 1500\n\tudp4_raw_ttl: 64\n}\n");
    EXPECT_EQ(run(command + "core.udp4_raw_info --json"),
              "{\n  \"udp4_raw\": 0,\n  \"udp4_raw_mtu\": 1500,\n  \"udp4_raw_ttl\": 64\n}\n");
    EXPECT_EQ(run(command + "core.ppdefines_full --table"),
              "name      type  value\nWITH_TLS     0  none\nPORT         0  5060\n");
    EXPECT_EQ(run(command + "-f '%v=%v;\\n' core.echo a 1 b 2"), "a=1;\nb=2;\n");
    EXPECT_EQ(run(command + "core.echo -5 -0.5"), "-5\n-0.500\n");
    EXPECT_EQ(run(command + "core.printl 5000000000"), "5000000000\n");
    EXPECT_EQ(run(command + "nosuch", &status),
              "error: 500 - command nosuch not found\n`kahucmd ls` lists all commands\n");
    EXPECT_EQ(status, 1);
    EXPECT_EQ(run(command + "--bad", &status), "kahucmd: unknown option --bad (kahucmd -h lists the options)\n");
    EXPECT_EQ(status, 2);
    EXPECT_NE(run(kahucmd() + " -s unix:/nonexistent ps", &status).find("no server listens on unixs:/nonexistent"),
              std::string::npos);
    EXPECT_EQ(status, 3);
    EXPECT_EQ(run(command + "--complete core.sh"), "core.shmmem\n");
    EXPECT_EQ(run(command + "--complete cnt.get tcp con_r"), "con_reset\n");
}

}  // namespace
}  // namespace kahu::rpc::testing_server
