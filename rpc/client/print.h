// rpc/client/print.h -- an answer as text.  Pure: returns what goes to standard output.
#pragma once
#include <string>
#include <vector>

#include "core/module/rpc_call.h"

namespace kahu::client {

// As kamcmd prints it: a value a line, structures in braces, indented with tabs.
std::string as_plain(const std::vector<RpcValue>& values);
// FORMAT repeated until all values (and braces) of the answer are used up, each %v taking one, as kamcmd -f.
std::string as_format(const std::vector<RpcValue>& values, std::string_view format);
// One value as itself, several as an array.  A member name that comes more than once becomes one array.
// `list`: an array even of one.
std::string as_json(const std::vector<RpcValue>& values, bool list);
std::string fault_as_json(int code, std::string_view reason);
// Structures as rows under column names; what is no list of structures, as as_plain().
std::string as_table(const std::vector<RpcValue>& values);

}  // namespace kahu::client
