// report.h -- the figures of a run: one list, printed as a table for people and as one JSON object
// for programs.  Keys are the interface of scripts: they do not change.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "test/load/histogram.h"

namespace kahu::load {

class Report {
  public:
    explicit Report(std::string title) : title_(std::move(title)) {}
    void count(std::string_view key, uint64_t value);
    void figure(std::string_view key, double value, std::string_view unit);
    void text(std::string_view key, std::string_view value);
    // p50, p90, p99 and max in microseconds, as PREFIX_p50_us ...
    void latency(std::string_view prefix, const Histogram& histogram);

    void fail(const std::string& reason, uint64_t times = 1);
    uint64_t failures() const;

    std::string table() const;
    std::string json() const;
    Status write_json(const std::string& file) const;  // "-" is standard output

  private:
    struct Row {
        std::string key, value, unit;
        bool quoted;
    };
    std::string title_;
    std::vector<Row> rows_;
    std::map<std::string, uint64_t> failures_;
};

}  // namespace kahu::load
