// rpc/settings.h -- the ctl module's parameters.
#pragma once
#include <sys/types.h>

#include <span>
#include <vector>

#include "core/module/descriptor.h"
#include "rpc/address.h"

namespace kahu::rpc {

struct Settings {
    std::vector<Address> addresses;  // in file order; empty: the default one
    mode_t mode = 0600;              // of unix sockets and FIFOs
    uid_t user = static_cast<uid_t>(-1);
    gid_t group = static_cast<gid_t>(-1);
    IntSetting body_kilobytes{32};  // of one request
    IntSetting autoconversion{0};
    IntSetting struct_kilobytes{8};
    IntSetting buffer_bytes{1024};
    IntSetting max_clients{256};    // stream connections
    IntSetting idle_timeout{3600};  // seconds without a request
    IntSetting write_timeout{10};   // seconds in which a client that has an answer to read reads nothing
    IntSetting queue_kilobytes{
        4096};             // a client's answers wait for its reading up to this, then its next requests wait
    IntSetting remote{0};  // tcp and udp on addresses that other machines reach
};
extern Settings settings;

std::span<const Param> params();
// The configured addresses, or the default one under the run directory.
std::vector<Address> addresses();

}  // namespace kahu::rpc
