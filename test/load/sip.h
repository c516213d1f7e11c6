// sip.h -- the requests a load client sends and what it must see of the answers.  Deliberately not
// core/sip: a fault there must not hide itself by being on both sides.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/address.h"

namespace kahu::load {

// A request of one connection, made once; each next one only gets a new number in place (CSeq and
// branch), so that sending does not allocate.  A GET has no number: answers come in order.
class RequestTemplate {
  public:
    static constexpr uint32_t kFirst = 100'000'000;  // nine digits from the start: the length never changes

    // users > 0: To, From and Contact of request n name user n % users of this connection's own.
    RequestTemplate(const std::string& method, Transport transport, const SocketAddress& target, unsigned connection,
                    uint32_t users = 0);
    // Valid until the next call.  REQUIRES: number < 900'000'000.
    std::string_view numbered(uint32_t number);
    bool has_number() const { return cseq_at_ != std::string::npos; }

  private:
    std::string text_;
    size_t branch_at_ = std::string::npos, cseq_at_ = std::string::npos;
    std::vector<size_t> user_at_;  // nine digits each
    uint32_t users_ = 0, first_user_ = 0;
};

struct Answer {
    int status = 0;
    uint32_t number = 0;  // of the request, as numbered(); 0 if there was no CSeq
    bool has_number = false;
};

// Reads one SIP or HTTP response from the front of `bytes`.
// Returns its length, 0 when more bytes are needed, -1 when this is no response.
long read_answer(std::string_view bytes, Answer& out);

}  // namespace kahu::load
