// core/script/substitution.h -- "/pattern/replacement/flags", as subst(), {re.subst} and their kin take it.
//
// SYNTAX Any character may be the separator; a backslash before it makes it an ordinary one.  In the replacement \1 to
//        \9 are groups, \0 and & are not special but \0 is the whole match, \r \n \t \\ are characters, and variables
//        are replaced.  Flags: g all matches, i letters in either case, s the pattern may match line ends.
// LIVES  Made at start, read-only afterwards.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/script/format.h"
#include "core/script/regex.h"
#include "core/script/run.h"

namespace kahu::script {

class Substitution {
  public:
    static constexpr size_t kMostMatches = 1000;  // in one text
    // `scope` nullptr: "$" in the replacement is an ordinary character.
    static Result<Substitution> parse(std::string_view text, const Scope* scope);

    // Calls change(offset, length, replacement) for each match, from left to right; returns how many there were.
    template <class Change>
    size_t each(Run& run, std::string_view text, Change change) const {
        std::vector<Regex::Match> matches;
        regex_->find_all(text, all_ ? kMostMatches : 1, matches);
        for (const auto& match : matches) change(match[0].at, match[0].length, replacement(run, text, match));
        return matches.size();
    }
    // The text with its matches replaced, in the run's arena; false: there was none.
    bool apply(Run& run, std::string_view text, std::string_view& out) const;

  private:
    struct Piece {
        std::shared_ptr<const Format> text;  // nullptr: the group
        size_t group = 0;
    };
    std::string_view replacement(Run& run, std::string_view text, const Regex::Match& match) const;
    Status read_replacement(std::string_view text, const Scope* scope);
    Status add_text(std::string& plain, const Scope* scope);

    std::shared_ptr<const Regex> regex_;
    std::vector<Piece> pieces_;
    bool all_ = false;
};

}  // namespace kahu::script
