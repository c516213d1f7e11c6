#include "core/modules/tm/branch_id.h"

#include <charconv>
#include <cstring>

#include "core/modules/tm/table.h"

namespace kahu::tm {
namespace {

constexpr std::string_view kCookie = "z9hG4bK";
constexpr size_t kShardAt = 7, kLabelAt = 12, kNumberAt = 21, kProofAt = 23;

template <class T>
bool read_hex(std::string_view text, size_t at, size_t digits, T& out) {
    const char* const from = text.data() + at;
    for (size_t i = 0; i < digits; ++i)
        if (from[i] >= 'A' && from[i] <= 'F') return false;  // we do not write these
    const auto [end, error] = std::from_chars(from, from + digits, out, 16);
    return error == std::errc{} && end == from + digits;
}

}  // namespace

std::string_view write_hex(uint64_t number, size_t digits, char* into) {
    for (size_t i = digits; i-- > 0; number >>= 4) into[i] = "0123456789abcdef"[number & 15];
    return {into, digits};
}

std::string_view write_branch_id(const BranchId& id, char (&into)[kBranchBytes]) {
    std::memcpy(into, kCookie.data(), kCookie.size());
    write_hex(id.id.shard, 4, into + kShardAt);
    into[kLabelAt - 1] = into[kNumberAt - 1] = into[kProofAt - 1] = '.';
    write_hex(id.id.label, 8, into + kLabelAt);
    write_hex(static_cast<uint64_t>(id.number), 1, into + kNumberAt);
    write_hex(id.proof, kProofBytes, into + kProofAt);
    return {into, kBranchBytes};
}

bool parse_branch_id(std::string_view text, BranchId& out) {
    if (text.size() != kBranchBytes || text.substr(0, kCookie.size()) != kCookie) return false;
    if (text[kLabelAt - 1] != '.' || text[kNumberAt - 1] != '.' || text[kProofAt - 1] != '.') return false;
    return read_hex(text, kShardAt, 4, out.id.shard) && out.id.shard < kShards &&
           read_hex(text, kLabelAt, 8, out.id.label) && read_hex(text, kNumberAt, 1, out.number) &&
           out.number < kMaxBranches && read_hex(text, kProofAt, kProofBytes, out.proof);
}

}  // namespace kahu::tm
