#include "core/module/rpc_call.h"

#include <fmt/format.h>

#include "core/base/text.h"

namespace kahu {

void RpcCall::add(RpcValue value) { results_.push_back(std::move(value)); }

bool RpcCall::has_texts(size_t count) {
    if (params_.size() >= count) return true;
    fault(400,
          fmt::format("error at parameter {}: expected string type but end of packet encountered", params_.size()));
    return false;
}

bool RpcCall::has_params(size_t count, int code, std::string_view reason) {
    if (params_.size() < count) fault(code, std::string(reason));
    return params_.size() >= count;
}

std::optional<RpcCall::Param> RpcCall::next_any() {
    if (!more()) {
        fault(400, fmt::format("error at parameter {}: expected string type but end of packet encountered", next_));
        return std::nullopt;
    }
    return params_[next_++];
}

std::optional<std::string> RpcCall::next_text() {
    if (!more()) {
        fault(400, fmt::format("error at parameter {}: expected string type but end of packet encountered", next_));
        return std::nullopt;
    }
    const Param& param = params_[next_++];
    if (const auto* text = std::get_if<std::string>(&param)) return *text;
    if (const auto* number = std::get_if<int64_t>(&param)) return std::to_string(*number);
    return fmt::format("{:.3f}", std::get<double>(param));
}

std::optional<int64_t> RpcCall::next_int() {
    if (!more()) {
        fault(400, fmt::format("error at parameter {}: expected integer type but end of packet encountered", next_));
        return std::nullopt;
    }
    const size_t at = next_++;
    const Param& param = params_[at];
    if (const auto* number = std::get_if<int64_t>(&param)) return *number;
    if (const auto* text = std::get_if<std::string>(&param))
        if (const auto number = text::to_int(*text)) return number;
    fault(400, fmt::format("error at parameter {}: expected integer type but record doesn't match type", at));
    return std::nullopt;
}

}  // namespace kahu
