#include "tls/domain_file.h"

#include <fmt/format.h>

#include "core/base/text.h"

namespace kahu::tls {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }
bool is_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

class Parser {
  public:
    Parser(std::string_view text, std::string_view file, const ParseOptions& options, std::vector<Domain>& domains,
           std::vector<std::string>& warnings)
        : text_(text), file_(file), options_(options), domains_(domains), warnings_(warnings) {}

    Status run() {
        if (text_.size() > kMaxFileBytes)
            return Error{Errc::invalid, fmt::format("{}: larger than {} bytes", file_, kMaxFileBytes), ""};
        if (text_.starts_with("\xef\xbb\xbf")) text_.remove_prefix(3);
        while (!text_.empty()) {
            const size_t end = text_.find('\n');
            line_ = text_.substr(0, end);
            text_.remove_prefix(end == text_.npos ? text_.size() : end + 1);
            ++number_;
            at_ = 0;
            if (Status done = statement(); !done) return done;
        }
        return {};
    }

  private:
    Error fail(std::string what, std::string hint = "") const {
        return {Errc::invalid, fmt::format("{}:{}:{}: {}", file_, number_, at_ + 1, what), std::move(hint)};
    }
    void skip_blanks() {
        while (at_ < line_.size() && is_blank(line_[at_])) ++at_;
    }
    bool at_end() const { return at_ >= line_.size() || line_[at_] == '#' || line_[at_] == ';'; }

    Status statement() {
        if (line_.size() > kMaxLineBytes) return fail(fmt::format("line is longer than {} bytes", kMaxLineBytes));
        skip_blanks();
        if (at_end()) return {};
        return line_[at_] == '[' ? section() : assignment();
    }

    // [server:10.0.0.1:5061]; blanks are allowed around every part.
    Status section() {
        const size_t opened = at_;
        const size_t close = closing_bracket();
        if (close == line_.npos) return fail("\"]\" is missing", "a section is written [server:default]");
        const std::string_view inner = line_.substr(at_ + 1, close - at_ - 1);
        if (domains_.size() >= kMaxProfiles) return fail(fmt::format("more than {} profiles", kMaxProfiles));
        Domain domain;
        domain.where = fmt::format("{}:{}", file_, number_);
        if (Status read = header(inner, domain); !read) return read;
        at_ = close + 1;
        skip_blanks();
        if (!at_end()) return fail("unexpected text after \"]\"");
        at_ = opened;
        domains_.push_back(std::move(domain));
        in_section_ = true;
        seen_.clear();
        return {};
    }

    // The bracket that ends the section is the last one before a comment: [server:[::1]:5061] has two.
    size_t closing_bracket() const {
        const size_t comment = line_.find_first_of("#;", at_);
        const size_t close = line_.substr(0, comment).rfind(']');
        return close == line_.npos || close <= at_ ? line_.npos : close;
    }

    Status header(std::string_view inner, Domain& domain) {
        const size_t colon = inner.find(':');
        const std::string_view side = text::trim(inner.substr(0, colon));
        if (text::iequals(side, "server") || text::iequals(side, "srv") || text::iequals(side, "s"))
            domain.side = Side::server;
        else if (text::iequals(side, "client") || text::iequals(side, "cli") || text::iequals(side, "c"))
            domain.side = Side::client;
        else
            return fail(fmt::format("a profile is of a server or a client, not of \"{}\"", text::printable(side, 40)),
                        "write [server:...] or [client:...]");
        if (colon == inner.npos)
            return fail("the section does not say whom it is for",
                        "write :default, :any or :address:port after the side");
        return scope(text::trim(inner.substr(colon + 1)), domain);
    }

    Status scope(std::string_view word, Domain& domain) {
        if (text::iequals(word, "default") || text::iequals(word, "def") || word == "*") {
            domain.scope = Scope::fallback;
            return {};
        }
        if (text::iequals(word, "any") || text::iequals(word, "all")) {
            domain.scope = Scope::any;
            return {};
        }
        const auto address = parse_address(word);
        if (!address)
            return fail(fmt::format("\"{}\" is not an address", text::printable(word, 80)),
                        "expected default, any, 10.0.0.1:5061 or [::1]:5061");
        domain.scope = Scope::address;
        domain.address = *address;
        return {};
    }

    // "10.0.0.1", "10.0.0.1:5061", "[::1]", "[::1]:5061"; without a port it is for every port.
    static std::optional<SocketAddress> parse_address(std::string_view word) {
        const size_t host_end = word.starts_with('[') ? word.find(']') : word.find(':');
        if (word.starts_with('[') && host_end == word.npos) return std::nullopt;
        const size_t host_bytes = word.starts_with('[') ? host_end + 1 : std::min(host_end, word.size());
        std::string_view rest = word.substr(host_bytes);
        uint16_t port = 0;
        if (!rest.empty()) {
            if (!rest.starts_with(':')) return std::nullopt;
            const auto number = text::to_int(text::trim(rest.substr(1)));
            if (!number || *number < 0 || *number > 65535) return std::nullopt;
            port = static_cast<uint16_t>(*number);
        }
        return SocketAddress::parse_ip(text::trim(word.substr(0, host_bytes)), port);
    }

    Status assignment() {
        const size_t name_at = at_;
        while (at_ < line_.size() && is_name(line_[at_])) ++at_;
        const std::string_view name = line_.substr(name_at, at_ - name_at);
        if (name.empty()) return fail("expected an attribute or a section", "write `name = value` or [server:default]");
        skip_blanks();
        if (at_ >= line_.size() || line_[at_] != '=')
            return fail(fmt::format("\"=\" is missing after \"{}\"", text::printable(name, 80)));
        ++at_;
        skip_blanks();
        const size_t value_at = at_;
        std::string value;
        if (Status read = value_text(value); !read) return read;
        if (!in_section_) {
            at_ = name_at;
            return fail("attribute outside of a profile", "put [server:default] before it");
        }
        return set(name, name_at, value, value_at);
    }

    Status set(std::string_view name, size_t name_at, const std::string& value, size_t value_at) {
        std::vector<std::string> said;
        Status done = set_attribute(domains_.back(), name, value, options_, said);
        at_ = done || !done.error().what.starts_with("unknown attribute") ? value_at : name_at;
        for (const std::string& warning : said) warnings_.push_back(fail(warning).what);
        if (!done) {
            Error error = std::move(done).error();
            return fail(std::move(error.what), std::move(error.hint));
        }
        std::string lowered = text::lowered(name);
        for (const std::string& earlier : seen_)
            if (earlier == lowered) {
                at_ = name_at;
                warnings_.push_back(fail(fmt::format("\"{}\" is given twice; the last one counts", lowered)).what);
            }
        seen_.push_back(std::move(lowered));
        return {};
    }

    Status value_text(std::string& value) {
        if (at_ < line_.size() && (line_[at_] == '"' || line_[at_] == '\'')) return quoted(value);
        // A bare value ends at the line's end or at a comment after a blank.
        const size_t from = at_;
        size_t end = from;
        while (end < line_.size() &&
               !((line_[end] == '#' || line_[end] == ';') && (end == from || is_blank(line_[end - 1]))))
            ++end;
        value = text::trim(line_.substr(from, end - from));
        if (value.empty()) return fail("the value is missing", "write \"\" for an empty one");
        if (value.size() > kMaxValueBytes) return fail(fmt::format("value is longer than {} bytes", kMaxValueBytes));
        return {};
    }

    Status quoted(std::string& value) {
        const char quote = line_[at_];
        size_t i = at_ + 1;
        for (; i < line_.size() && line_[i] != quote; ++i) {
            if (line_[i] == '\\' && i + 1 < line_.size() && (line_[i + 1] == quote || line_[i + 1] == '\\')) ++i;
            value += line_[i];
        }
        if (i >= line_.size()) return fail("the closing quote is missing");
        if (value.size() > kMaxValueBytes) return fail(fmt::format("value is longer than {} bytes", kMaxValueBytes));
        at_ = i + 1;
        skip_blanks();
        if (!at_end()) return fail("unexpected text after the closing quote");
        return {};
    }

    std::string_view text_, file_, line_;
    const ParseOptions& options_;
    std::vector<Domain>& domains_;
    std::vector<std::string>& warnings_;
    std::vector<std::string> seen_;
    size_t number_ = 0, at_ = 0;
    bool in_section_ = false;
};

}  // namespace

Status parse_domains(std::string_view text, std::string_view file, const ParseOptions& options,
                     std::vector<Domain>& domains, std::vector<std::string>& warnings) {
    return Parser(text, file, options, domains, warnings).run();
}

}  // namespace kahu::tls
