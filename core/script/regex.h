// core/script/regex.h -- POSIX extended regular expressions, as =~ and the text functions of Kamailio's scripts use.
//
// WHY    POSIX and not PCRE2: scripts rely on its syntax ([[:digit:]], leftmost-longest) and on letters matching in
//        either case.
// LIVES  Constant patterns are compiled before the first fork; patterns made from variables are kept in a small cache
//        of the process.
// FAILS  compile() tells what regcomp() said and shows the pattern.
#pragma once
#include <regex.h>

#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace kahu::script {

class Regex {
  public:
    static Result<std::shared_ptr<const Regex>> compile(std::string_view pattern, bool ignore_case = true);
    ~Regex();
    Regex(const Regex&) = delete;
    Regex& operator=(const Regex&) = delete;

    bool matches(std::string_view text) const;
    // Where the leftmost match is; false if there is none.
    bool find(std::string_view text, size_t& at, size_t& length) const;

  private:
    Regex() = default;
    regex_t compiled_{};
};

// For a pattern known only now; nullptr if it is not a valid one.
std::shared_ptr<const Regex> cached_regex(std::string_view pattern);

}  // namespace kahu::script
