// core/script/regex.h -- POSIX extended regular expressions, as =~ and the text functions of Kamailio's scripts use.
//
// WHY    POSIX and not PCRE2: scripts rely on its syntax ([[:digit:]], leftmost-longest) and on letters matching in
//        either case.
// LIVES  Constant patterns are compiled before the first fork; patterns made from variables are kept in a small cache
//        of the process.
// FAILS  compile() tells what regcomp() said and shows the pattern.
#pragma once
#include <regex.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace kahu::script {

class Regex {
  public:
    // by_line: "^" and "$" match at every line, "." and [^x] match no line end (what module textops does).
    static Result<std::shared_ptr<const Regex>> compile(std::string_view pattern, bool ignore_case = true,
                                                        bool by_line = false);
    ~Regex();
    Regex(const Regex&) = delete;
    Regex& operator=(const Regex&) = delete;

    bool matches(std::string_view text) const;
    // Where the leftmost match is; false if there is none.
    bool find(std::string_view text, size_t& at, size_t& length) const;

    struct Group {
        size_t at = 0, length = 0;  // both 0 if the group took no part
    };
    using Match = std::array<Group, 10>;  // [0] is the whole match
    // Matches from left to right that do not overlap, at most `most`, into `out`.
    void find_all(std::string_view text, size_t most, std::vector<Match>& out) const;

  private:
    Regex() = default;
    regex_t compiled_{};
};

// For a pattern known only now; nullptr if it is not a valid one.
std::shared_ptr<const Regex> cached_regex(std::string_view pattern, bool by_line = false);

}  // namespace kahu::script
