#include "test/load/report.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>

namespace kahu::load {
namespace {
std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        if (static_cast<unsigned char>(c) < 0x20) out += fmt::format("\\u{:04x}", c);
        else out += c;
    }
    return out + '"';
}
}  // namespace

void Report::count(std::string_view key, uint64_t value) {
    rows_.push_back({std::string(key), fmt::format("{}", value), "", false});
}
void Report::figure(std::string_view key, double value, std::string_view unit) {
    rows_.push_back({std::string(key), fmt::format("{:.{}f}", value, value < 100 ? 2 : 1), std::string(unit), false});
}
void Report::text(std::string_view key, std::string_view value) {
    rows_.push_back({std::string(key), std::string(value), "", true});
}

void Report::latency(std::string_view prefix, const Histogram& histogram) {
    const auto row = [&](std::string_view which, Nanos value) {
        figure(fmt::format("{}_{}_us", prefix, which), static_cast<double>(value) / 1000.0, "us");
    };
    row("p50", histogram.percentile(50));
    row("p90", histogram.percentile(90));
    row("p99", histogram.percentile(99));
    row("max", histogram.max());
}

void Report::fail(const std::string& reason, uint64_t times) {
    if (times > 0) failures_[reason] += times;
}
uint64_t Report::failures() const {
    uint64_t sum = 0;
    for (const auto& [reason, times] : failures_) sum += times;
    return sum;
}

std::string Report::table() const {
    std::string out = title_ + "\n";
    for (const auto& row : rows_) out += fmt::format("  {:<28} {:>14} {}\n", row.key, row.value, row.unit);
    out += fmt::format("  {:<28} {:>14}\n", "failed", failures());
    for (const auto& [reason, times] : failures_) out += fmt::format("    {:<8} {}\n", times, reason);
    return out;
}

std::string Report::json() const {
    std::string out = fmt::format("{{\"title\": {}", quoted(title_));
    for (const auto& row : rows_)
        out += fmt::format(", {}: {}", quoted(row.key), row.quoted ? quoted(row.value) : row.value);
    out += fmt::format(", \"failed\": {}, \"failures\": {{", failures());
    std::string_view separator;
    for (const auto& [reason, times] : failures_) {
        out += fmt::format("{}{}: {}", separator, quoted(reason), times);
        separator = ", ";
    }
    return out + "}}\n";
}

Status Report::write_json(const std::string& file) const {
    const std::string text = json();
    if (file == "-") {
        std::fputs(text.c_str(), stdout);
        return {};
    }
    std::FILE* out = std::fopen(file.c_str(), "w");
    if (out == nullptr) return errno_error("could not write " + file, errno);
    const bool written = std::fputs(text.c_str(), out) >= 0;
    if (std::fclose(out) != 0 || !written) return errno_error("could not write " + file, errno);
    return {};
}

}  // namespace kahu::load
