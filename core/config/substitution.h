// core/config/substitution.h -- `#!subst "/pattern/replacement/flags"`: replaced inside the strings that follow.
//
// WHY    Kamailio's users put addresses and domains into one local file this way.
// LIVES  In the preprocessor. Patterns are PCRE2's: a superset of the extended POSIX syntax that such files use.
// FAILS  parse() names what is wrong with the text. apply() gives up on a string (unchanged) when matching takes too
//        long or the result exceeds kMaxBytes.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"

struct pcre2_real_code_8;

namespace kahu::config {

class Substitution {
  public:
    static constexpr size_t kMaxBytes = 64 * 1024;

    // "!pattern!replacement!ig": the first character separates; \1 and $1-like references are \0 to \9 here.
    static Result<Substitution> parse(std::string_view text);
    std::string apply(std::string_view subject) const;

    const std::string& pattern() const { return pattern_; }
    const std::string& replacement() const { return replacement_; }

  private:
    struct Free {
        void operator()(pcre2_real_code_8* code) const;
    };
    bool expand(std::string_view subject, const size_t* groups, uint32_t count, std::string& out) const;
    std::string pattern_, replacement_;
    bool global_ = false;
    std::unique_ptr<pcre2_real_code_8, Free> code_;
};

}  // namespace kahu::config
