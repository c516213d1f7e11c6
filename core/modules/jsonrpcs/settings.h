// core/modules/jsonrpcs/settings.h -- the module's parameters.
#pragma once
#include <span>
#include <string>

#include "core/module/descriptor.h"
#include "rpc/address.h"
#include "rpc/listen_socket.h"

namespace kahu::jsonrpcs {

struct Settings {
    IntSetting pretty_format{1};
    IntSetting transport{6};  // bits of Carrier; 0: all
    TextSetting fifo_name, dgram_socket, tcp_socket;
    TextSetting fifo_reply_dir{"/tmp/"};
    rpc::FileOwnership fifo{.mode = 0660}, datagram{.mode = 0660};
    IntSetting dgram_workers{1}, dgram_timeout{2000};  // accepted only
};
extern Settings settings;

enum Carrier : int64_t { kHttp = 1, kFifo = 2, kDatagram = 4, kTcp = 8 };
inline bool wanted(Carrier carrier) { return settings.transport == 0 || (settings.transport & carrier) != 0; }

std::span<const Param> params();
// The configured ones, or those that Debian's tools ask: kamailio_rpc.fifo, kamailio_rpc.sock in the run directory.
Result<rpc::Address> fifo_address();
Result<rpc::Address> datagram_address();

}  // namespace kahu::jsonrpcs
