// test/unit/rpc/test_server.h -- a real rpc server in a child process, on every transport, in a folder of its own.
#pragma once
#include <string>
#include <vector>

#include "core/base/fd.h"
#include "core/module/rpc_call.h"

namespace kahu::rpc::testing_server {

class TestServer {
  public:
    TestServer();   // returns when it listens
    ~TestServer();  // kills it
    TestServer(const TestServer&) = delete;
    TestServer& operator=(const TestServer&) = delete;

    std::string path(const std::string& name) const { return folder_ + "/" + name; }
    std::string stream() const { return path("ctl"); }
    std::string datagram() const { return path("ctld"); }
    std::string fifo() const { return path("fifo"); }
    static constexpr int kTcpPort = 26210, kUdpPort = 26211;
    bool alive() const;

  private:
    std::string folder_;
    int child_ = -1;
};

UniqueFd connect_to(const std::string& path, int type);
bool send_all(int fd, std::string_view bytes);
// One packet; "" after the time.
std::string receive_packet(int fd, int milliseconds = 10000);
// A request over the stream socket: the values, or the fault as "500 reason".
struct Outcome {
    std::vector<RpcValue> values;
    std::string fault;
};
Outcome ask(const std::string& path, const std::string& method, const std::vector<RpcCall::Param>& params = {});
Outcome outcome_of(const std::string& packet);
// What a program prints; its exit status in *status.
std::string run(const std::string& command, int* status = nullptr);

}  // namespace kahu::rpc::testing_server
