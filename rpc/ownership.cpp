#include "rpc/ownership.h"

#include <grp.h>
#include <pwd.h>

#include "core/base/text.h"

namespace kahu::rpc {
namespace {

std::optional<int64_t> id_number(const ParamValue& value) {
    if (const auto* number = std::get_if<int64_t>(&value)) return *number;
    return text::to_int(std::get<std::string>(value));
}

}  // namespace

Status read_mode(const ParamValue& value, mode_t& out) {
    const auto* number = std::get_if<int64_t>(&value);
    const auto parsed = number != nullptr ? std::optional(*number) : text::to_int(std::get<std::string>(value), 8);
    if (!parsed || *parsed < 0 || *parsed > 0777)
        return Error{Errc::invalid, "expected permission bits from 0 to 0777", "as in 0660"};
    out = static_cast<mode_t>(*parsed);
    return {};
}

Status read_user(const ParamValue& value, uid_t& out) {
    if (const auto number = id_number(value)) {
        out = static_cast<uid_t>(*number);
        return {};
    }
    const std::string& name = std::get<std::string>(value);
    const passwd* entry = ::getpwnam(name.c_str());
    if (entry == nullptr) return Error{Errc::not_found, "there is no user '" + name + "'", "see /etc/passwd"};
    out = entry->pw_uid;
    return {};
}

Status read_group(const ParamValue& value, gid_t& out) {
    if (const auto number = id_number(value)) {
        out = static_cast<gid_t>(*number);
        return {};
    }
    const std::string& name = std::get<std::string>(value);
    const ::group* entry = ::getgrnam(name.c_str());
    if (entry == nullptr) return Error{Errc::not_found, "there is no group '" + name + "'", "see /etc/group"};
    out = entry->gr_gid;
    return {};
}

}  // namespace kahu::rpc
