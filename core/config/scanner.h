// core/config/scanner.h -- one text (a file, or what a define stands for) cut into raw tokens.
//
// WHY    Knows letters, quotes, comments and brackets, but neither keywords nor defines: those depend on the context
//        (token_stream.h) and on the directives read so far (preprocessor.h).
// LIVES  Borrows the text, which must outlive it.
// FAILS  Reports to Diagnostics, skips what it cannot read and goes on; always ends with RawKind::end.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "core/config/diagnostic.h"

namespace kahu::config {

enum class RawKind : uint8_t {
    end,
    word,         // letters, digits, '_'
    integer,      // 10, 0x1f, 017
    text,         // "..." or '...', escapes resolved
    variable,     // $ru, $(hdr(X){s.len}[0]), $var(x)
    select,       // @from.uri.host
    address,      // 10.0.0.1, 10.0.0.0/8, [::1], 2001:db8::/32 (text without brackets)
    regex,        // /.../flags, only where allow_regex() asked for it: text is the pattern, extra the flags
    punctuation,  // text is the operator
    directive,    // #!ifdef: text is "ifdef"; the scanner stands behind the name
};

struct RawToken {
    RawKind kind = RawKind::end;
    Location at, end;           // first byte; one past the last
    bool space_before = false;  // blank, line end or comment before it
    bool line_start = false;    // first token on its line
    std::string text;
    std::string extra;
    int64_t number = 0;
    std::string spelling;  // address, integer: as written, to compose "udp:[::1]:5060"
    bool is(std::string_view punctuation) const { return kind == RawKind::punctuation && text == punctuation; }
    bool is_word(std::string_view word) const { return kind == RawKind::word && text == word; }
};

class Scanner {
  public:
    Scanner(std::string_view text, uint32_t file, Diagnostics& diagnostics)
        : text_(text), diagnostics_(&diagnostics), file_(file) {}
    // For the text of a define: every token stands where the define was used.
    Scanner(std::string_view text, const Location& used_at, Diagnostics& diagnostics)
        : text_(text), diagnostics_(&diagnostics), file_(used_at.file), fixed_(used_at) {}

    RawToken next();
    // The next token may be a regular expression between slashes (`case /^sip/:`).
    void allow_regex() { regex_allowed_ = true; }
    // The rest of a directive's line, with continued lines (backslash before the line end) joined; comments are kept.
    std::string rest_of_line();
    // Skips lines without reading tokens until one starts with a directive, and returns its name; "" at the end.
    // `at` is where it stands. For blocks that are switched off.
    std::string skip_to_directive(Location& at);
    Location here() const;

  private:
    char peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
    bool done() const { return at_ >= text_.size(); }
    void advance(size_t count = 1);
    bool skip_blanks();  // and comments; true if there were any
    void skip_line_comment();
    bool skip_block_comment();
    bool at_directive(size_t& prefix_and_name) const;
    RawToken begin(RawKind kind, size_t bytes);
    void read_word(RawToken& token);
    void read_number(RawToken& token);
    bool read_address(RawToken& token);
    void read_double_quoted(RawToken& token);
    void read_single_quoted(RawToken& token);
    bool read_variable(RawToken& token);
    bool read_select(RawToken& token);
    void read_regex(RawToken& token);
    bool read_quoted_regex(RawToken& token);
    bool read_punctuation(RawToken& token);
    size_t address_bytes(size_t from, std::string& host) const;
    size_t balanced(size_t from, char open, char close) const;

    std::string_view text_;
    Diagnostics* diagnostics_;
    size_t at_ = 0;
    uint32_t file_ = 0, line_ = 1, column_ = 1;
    Location fixed_{};
    bool regex_allowed_ = false;
    bool line_start_ = true;
};

// Names a directive may have, without "#!"; "" none. Also used for "did you mean".
bool is_directive(std::string_view name);

}  // namespace kahu::config
