// core/module/rpc_call.h -- one RPC request while it is being answered, whatever it came over.
//
// WHY    A command is written once; binrpc and (later) JSON-RPC encode what it answered.
// LIVES  In the rpc process only.  A command may take its time but must not block on a client:
//        the answer is a value tree, written out by the transport as the client reads it.
// FAILS  A parameter that is missing or of another type makes next_*() answer the fault itself
//        ("error at parameter 1: expected integer ...", code 400) and return nullopt: the command
//        just returns.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace kahu {

class RpcValue;
// Ordered: Debian's kamcmd prints fields in the order in which they come.
using RpcStruct = std::vector<std::pair<std::string, RpcValue>>;
using RpcArray = std::vector<RpcValue>;

class RpcValue {
  public:
    RpcValue(int value) : data_(int64_t{value}) {}
    RpcValue(unsigned value) : data_(int64_t{value}) {}
    RpcValue(long value) : data_(int64_t{value}) {}
    RpcValue(long long value) : data_(int64_t{value}) {}
    RpcValue(unsigned long value) : data_(static_cast<int64_t>(value)) {}
    RpcValue(double value) : data_(value) {}
    RpcValue(std::string value) : data_(std::move(value)) {}
    RpcValue(std::string_view value) : data_(std::string(value)) {}
    RpcValue(const char* value) : data_(std::string(value)) {}
    RpcValue(RpcStruct value) : data_(std::move(value)) {}
    RpcValue(RpcArray value) : data_(std::move(value)) {}
    const std::variant<int64_t, double, std::string, RpcStruct, RpcArray>& data() const { return data_; }

  private:
    std::variant<int64_t, double, std::string, RpcStruct, RpcArray> data_;
};

class RpcCall {
  public:
    using Param = std::variant<int64_t, double, std::string>;
    RpcCall(std::string method, std::vector<Param> params) : method_(std::move(method)), params_(std::move(params)) {}

    const std::string& method() const { return method_; }
    bool more() const { return next_ < params_.size(); }
    size_t params() const { return params_.size(); }
    // The first `count` parameters are texts; false: one is missing, and the fault says which.
    bool has_texts(size_t count);
    // The same, in the words that Kamailio has for this command.
    bool has_params(size_t count, int code, std::string_view reason);
    // Integers are accepted where text is wanted, and text that is an integer where one is wanted.
    std::optional<std::string> next_text();
    std::optional<int64_t> next_int();
    std::optional<Param> next_any();
    // For optional trailing parameters: the default when there are no more.
    std::optional<std::string> next_text_or(std::string otherwise) {
        return more() ? next_text() : std::move(otherwise);
    }
    std::optional<int64_t> next_int_or(int64_t otherwise) { return more() ? next_int() : otherwise; }

    void add(RpcValue value);  // in the .cpp: inlined, g++ 12 warns of an uninitialized string that is none
    // Kamailio's convention: 400 for the caller's mistakes, 500 for ours.  The last one counts.
    void fault(int code, std::string reason) { fault_.emplace(code, std::move(reason)); }

    const std::vector<RpcValue>& results() const { return results_; }
    const std::optional<std::pair<int, std::string>>& faulted() const { return fault_; }

    // A command whose answer takes time sets this and returns: it is asked again and again, and says true when it has
    // added its values or a fault.
    std::function<bool(RpcCall&)> unfinished;

    // Who asks: for ctl.who and for the log.  Set by the transport.
    std::string client;

  private:
    std::string method_;
    std::vector<Param> params_;
    size_t next_ = 0;
    std::vector<RpcValue> results_;
    std::optional<std::pair<int, std::string>> fault_;
};

}  // namespace kahu
