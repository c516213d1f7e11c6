// core/config/diagnostic.h -- what is wrong with a configuration, and where.
//
// WHY    A user fixes a file faster when one run names all its mistakes, each with its place and its remedy.
// LIVES  In the process that reads the configuration; keeps the names of the files read.
// FAILS  Never. After kMaxKeptErrors errors further ones are counted, not kept: a file of noise must not flood the log.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/config/location.h"

namespace kahu::config {

enum class Severity : uint8_t { error, warning };

struct Diagnostic {
    Location at;
    Severity severity = Severity::error;
    std::string message;  // "unknown statement 'lisen'"
    std::string hint;     // "did you mean 'listen'?"; may be empty
};

class Diagnostics {
  public:
    static constexpr size_t kMaxErrors = 20;       // the parser gives up then: it is a file of noise
    static constexpr size_t kMaxKeptErrors = 200;  // what is unknown in a file that could be read is listed whole
    static constexpr size_t kMaxWarnings = 50;

    void error(const Location& at, std::string message, std::string hint = {});
    void warning(const Location& at, std::string message, std::string hint = {});
    // The error told last is about that place: it is taken back, what it came of has been found.
    void withdraw(const Location& at);
    bool failed() const { return errors_ != 0; }
    bool full() const { return errors_ >= kMaxErrors; }  // the parser gives up then
    size_t errors() const { return errors_; }
    const std::vector<Diagnostic>& all() const { return kept_; }

    // "kahu.cfg:12:5: unknown statement 'lisen' — did you mean 'listen'?"; warnings say so: "kahu.cfg:3:1: warning:
    // ..."
    std::string text(const Diagnostic& diagnostic) const;
    std::string text() const;  // all, one per line
    // The first error as the result of an operation; how many more there are goes into the hint.
    Error as_error() const;

    Files files;

  private:
    void add(Severity severity, const Location& at, std::string message, std::string hint);
    std::vector<Diagnostic> kept_;
    size_t errors_ = 0, warnings_ = 0;
};

}  // namespace kahu::config
