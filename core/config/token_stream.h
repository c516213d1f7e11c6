// core/config/token_stream.h -- what the grammar reads: raw tokens with their words sorted into keywords and names.
//
// WHY    `name`, `virtual`, `flags` or `status` are keywords in one place and names in another; "udp:eth0:5060" is one
//        address after `listen =` and five tokens elsewhere. Keeping that here keeps the grammar small and free of
//        conflicts.
// LIVES  While one configuration is read.
// FAILS  Bounds nesting and statement length: beyond, it reports and ends. After a syntax error it skips to the end
//        of the statement, so that the parser goes on at a place it understands.
#pragma once
#include <deque>
#include <string>
#include <vector>

#include "core/config/diagnostic.h"
#include "core/config/grammar.tab.h"
#include "core/config/preprocessor.h"
#include "core/config/words.h"

namespace kahu::config {

class TokenStream {
  public:
    TokenStream(Preprocessor& source, Diagnostics& diagnostics) : source_(source), diagnostics_(diagnostics) {}

    Grammar::symbol_type next();
    // The parser cannot use the token it got last; `expected` are the names of those it could.
    void syntax_error(const std::vector<std::string>& expected);
    void error(const Location& at, const std::string& message) { diagnostics_.error(at, message); }

  private:
    enum class Place : uint8_t { top, script, socket };
    using Symbol = Grammar::symbol_type;

    const RawToken& peek(size_t ahead = 0);
    RawToken take();
    Symbol symbol(RawToken token);
    Symbol plain(int token) const { return Symbol(token, current_.at); }
    Symbol top_word(const RawToken& token);
    Symbol script_word(const RawToken& token);
    Symbol socket_word(const RawToken& token);
    Symbol value_word(const RawToken& token);
    Symbol punctuation(const RawToken& token);
    Symbol address(RawToken first);
    Symbol route_name();
    Symbol text(RawToken token);

    bool begins_statement(const TopWord& word, const RawToken& token);
    bool route_begins_inside(const RawToken& token);
    void supply_brace();
    void close_missing_braces(const RawToken& token);
    bool joins_value(const RawToken& token);
    bool joins_address(const RawToken& token);
    std::string compose_address(RawToken first);
    bool within_limits(const RawToken& token);
    void stop(const Location& at, std::string message);
    void open_brace(const RawToken& token);
    void close_brace();
    void recover();
    void recover_top();
    void recover_script();
    Location retried_at_{};   // the token in error that was tried again as a statement's first
    size_t error_depth_ = 0;  // open '{' before the token in error
    bool explain_statement(const std::vector<std::string>& expected);
    bool explain_missing(const std::vector<std::string>& expected);
    bool explain_torn_string();
    bool explain_outside();
    std::string hint_of_neighbours() const;
    static bool is_statement_start(const RawToken& before);

    Preprocessor& source_;
    Diagnostics& diagnostics_;
    std::deque<RawToken> ahead_;
    RawToken previous_, current_;
    Place place_ = Place::top;
    size_t depth_ = 0, depth_before_ = 0;  // open '{'
    size_t brackets_ = 0;                  // open '(' and '[' of this statement
    size_t statement_tokens_ = 0, elses_ = 0;
    bool stopped_ = false, recovering_ = false;

    const TopWord* statement_ = nullptr;  // the keyword of the statement at the top level; null: a setting
    RawToken statement_word_;             // its first word; in scripts the first word of the statement
    RawToken prior_word_;                 // the one before it, at the top level
    bool value_next_ = false, address_next_ = false;
    bool statement_start_ = true;  // scripts: the next token begins a statement
    size_t address_call_ = 0;      // brackets_ within the call of an address function; 0: none
    bool flags_pending_ = false;
    std::string regex_flags_;
    std::string block_name_;  // "request_route", for messages
    Location block_at_{}, block_end_{};
    bool outside_told_ = false;    // statements outside of all blocks: those that follow say nothing new
    Location torn_at_, torn_end_;  // the string read last that goes over lines: its '"' may be missing
};

}  // namespace kahu::config
