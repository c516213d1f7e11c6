// core/config/location.h -- where a token stood, after includes and substitutions were followed back.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kahu::config {

struct Location {
    uint32_t file = 0;    // index into Files
    uint32_t line = 0;    // from 1; 0: no place in a file (command line, built-in)
    uint32_t column = 0;  // from 1, in bytes
    bool operator==(const Location&) const = default;
};

// The files that were read, by the index that locations carry.
class Files {
  public:
    uint32_t add(std::string_view name) {
        names_.emplace_back(name);
        return static_cast<uint32_t>(names_.size() - 1);
    }
    const std::vector<std::string>& names() const { return names_; }
    std::string_view name(uint32_t index) const {
        return index < names_.size() ? std::string_view(names_[index]) : std::string_view("configuration");
    }
    // "kahu.cfg:12:5"; without a line only the file's name.
    std::string text(const Location& at) const {
        std::string out(name(at.file));
        if (at.line != 0) out += ':' + std::to_string(at.line) + ':' + std::to_string(at.column);
        return out;
    }

  private:
    std::vector<std::string> names_;
};

}  // namespace kahu::config
