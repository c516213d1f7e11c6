// rpc/client/connection.h -- one request, one answer, over any of the transports.
//
// FAILS  Errors are sentences for the user: what was tried, what went wrong, what to do.  Errc::timeout: no answer in
// time.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/base/result.h"
#include "core/module/rpc_call.h"
#include "rpc/address.h"
#include "rpc/client/options.h"

namespace kahu::client {

struct Answer {
    bool fault = false;
    int code = 0;        // fault
    std::string reason;  // fault
    std::vector<RpcValue> values;
};

class Connection {
  public:
    // -s, or the first of the usual sockets that a server listens on.
    static Result<Connection> open(const Options& options);
    Connection(Connection&&) = default;
    Connection& operator=(Connection&&) = default;
    ~Connection();

    Result<Answer> ask(const std::string& method, const std::vector<RpcCall::Param>& params);
    const rpc::Address& address() const { return address_; }

  private:
    Connection() = default;
    Status connect(const rpc::Address& address, const Options& options);
    Status connect_unix(const Options& options);
    Status connect_inet();
    Result<std::string> exchange(const std::string& packet);
    Result<std::string> exchange_fifo(const std::string& packet);
    Status send(int fd, std::string_view bytes);
    Result<std::string> receive(int fd, bool datagram);
    Status wait(int fd, short events);

    rpc::Address address_;
    UniqueFd fd_;
    std::string own_path_;  // unixd: removed at the end
    clock::Millis timeout_ = 10'000, deadline_ = 0;
    uint32_t cookie_ = 0;
};

}  // namespace kahu::client
