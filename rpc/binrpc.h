// rpc/binrpc.h -- Kamailio's binary RPC format, version 1: what kamcmd and kahucmd speak.
//
// WHY    Debian's kamcmd must work unchanged, so the bytes are Kamailio's, not ours.
//
//   packet  byte 0       1010 0001: magic 0xA, version 1
//           byte 1       type (0 request, 1 reply, 3 fault) << 4 | (LL - 1) << 2 | (CL - 1)
//           LL bytes     length of the body, big endian
//           CL bytes     cookie, big endian: the reply bears its request's
//           body         records
//   record  byte 0       S << 7 | size << 4 | type;  S = 0: the value has `size` bytes;
//                        S = 1: `size` bytes of length follow, then the value
//           0 INT        big endian, as few bytes as it takes; 0 has none; 4 bytes are signed
//           1 STR        with a final NUL, which the length counts
//           2 DOUBLE     thousandths, as an integer; 8 bytes are signed
//           3 STRUCT     starts with 0x03, ends with 0x83; members are AVPs or bare values
//           4 ARRAY      0x04 .. 0x84; Kamailio's server never sends one, it sends a STRUCT of bare values
//           5 AVP        a member's name, as STR; its value is the next record
//           6 BYTES      STR without NUL
//
//   Not in Kamailio's description, but on the wire: kamcmd writes a negative DOUBLE as 0x82 and 8 bytes (its size
//   overflowed into S); an integer beyond 32 bits travels as a DOUBLE.
//
// LIVES  Pure functions on borrowed bytes; no I/O, no segment.  kahucmd links this file too.
// FAILS  Every length, count and depth is bounded by the packet or by Limits.  Input that breaks the format gives a
//        reason in words; nothing is read past the end.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/module/rpc_call.h"

namespace kahu::rpc::binrpc {

enum class PacketType : uint8_t { request = 0, reply = 1, fault = 3 };

struct Limits {
    size_t body_bytes = 32 * 1024;
    size_t params = 256;      // of a request
    size_t values = 1 << 20;  // of a reply, all levels together
    int depth = 16;           // structs within structs
};

struct Header {
    PacketType type = PacketType::request;
    uint32_t cookie = 0;
    size_t header_bytes = 0;
    size_t body_bytes = 0;
    size_t packet_bytes() const { return header_bytes + body_bytes; }
};

enum class HeaderStatus : uint8_t {
    complete,  // the header is; whether the body is, tell bytes.size() and packet_bytes()
    need_more,
    corrupt,  // not binrpc: the stream cannot be understood any more
};
HeaderStatus read_header(std::string_view bytes, Header& out);

struct Request {
    std::string method;
    std::vector<RpcCall::Param> params;
};
// False: `why` is the text of the 400 fault, in Kamailio's words where it has some
// ("bad request method: more data needed").
bool read_request(std::string_view body, const Limits& limits, Request& out, std::string& why);

// Values as sent: a STRUCT of bare values becomes an RpcArray, any other an RpcStruct (bare members have an empty
// name).
bool read_values(std::string_view body, const Limits& limits, std::vector<RpcValue>& out, std::string& why);

struct Fault {
    int code = 0;
    std::string reason;
};
bool read_fault(std::string_view body, Fault& out, std::string& why);

std::string write_request(uint32_t cookie, std::string_view method, const std::vector<RpcCall::Param>& params);
std::string write_reply(uint32_t cookie, const std::vector<RpcValue>& values);
std::string write_fault(uint32_t cookie, int code, std::string_view reason);

}  // namespace kahu::rpc::binrpc
