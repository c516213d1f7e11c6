#include "core/modules/textopsx/header_values.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "core/script/arena.h"
#include "core/sip/params.h"
#include "core/sip/scan.h"

namespace kahu::textopsx {
namespace {

using script::Args;
using script::Run;
using sip::HeaderField;

struct Where {
    std::string_view name, param;  // "Name[1].param"
    bool all = false;
    int64_t index = 0;
};
bool is_token(std::string_view name) { return !name.empty() && sip::all_in(name, sip::kToken); }
bool parse_where(std::string_view text, Where& out) {
    text = text::trim(text);
    out = {};
    if (const size_t dot = text.find('.'); dot != text.npos) {
        out.param = text.substr(dot + 1);
        if (!is_token(out.param)) return false;
        text = text.substr(0, dot);
    }
    const size_t bracket = text.find('[');
    out.name = text.substr(0, bracket);
    if (bracket == text.npos) return is_token(out.name);
    if (text.back() != ']') return false;
    const std::string_view index = text.substr(bracket + 1, text.size() - bracket - 2);
    out.all = index == "*";
    const auto number = text::to_int(index);
    if (number) out.index = *number;
    return is_token(out.name) && (out.all || number);
}
// What a script puts into a header must stay in it.
bool is_one_line(std::string_view value) { return value.find_first_of("\r\n") == value.npos; }

// One value: a piece of the comma list in one of the headers of that name.
struct Piece {
    const HeaderField* field = nullptr;
    std::string_view text;
    bool alone = false;  // its header has no other
};
enum class Split : unsigned char { lists, headers };
void pieces_of(Run& run, std::string_view name, Split split, std::vector<Piece>& out) {
    out.clear();
    const sip::Message& message = run.message();
    for (const HeaderField* field = message.first(name); field != nullptr; field = message.next(field)) {
        const size_t before = out.size();
        sip::ListSplitter list(split == Split::lists ? field->value : std::string_view());
        for (std::string_view piece; list.next(piece);) out.push_back({field, piece, false});
        if (out.size() == before) out.push_back({field, field->value, true});
        if (out.size() == before + 1) out.back().alone = true;
    }
}
std::vector<Piece>& pieces(Run& run, std::string_view name, Split split = Split::lists) {
    static std::vector<Piece> kept;
    pieces_of(run, name, split, kept);
    return kept;
}
// 1 is the first, as in Kamailio, and so is 0; -1 is the last.
const Piece* at(const std::vector<Piece>& all, int64_t index) {
    const auto size = static_cast<int64_t>(all.size());
    if (index > 0) --index;
    else if (index < 0) index += size;
    return index < 0 || index >= size ? nullptr : &all[static_cast<size_t>(index)];
}

std::string_view header_line(Run& run, std::string_view name, std::string_view value) {
    return script::TextBuilder(run.arena()).append(name).append(": ").append(value).append("\r\n").take();
}
void add_header(Run& run, std::string_view name, std::string_view value) {
    run.edits.append_header(run.message(), header_line(run, name, value));
}
std::string_view joined(Run& run, std::string_view a, std::string_view b) {
    return script::TextBuilder(run.arena()).append(a).append(b).take();
}
// One more value of the same list; the first one of a header without any.
void add_behind(Run& run, const Piece& piece, std::string_view value) {
    run.edits.insert(run.message().offset_of(piece.text) + piece.text.size(),
                     joined(run, piece.text.empty() ? " " : ", ", value));
}
void add_before(Run& run, const Piece& piece, std::string_view value) {
    if (piece.text.empty()) return add_behind(run, piece, value);
    run.edits.insert(run.message().offset_of(piece.text), joined(run, value, ", "));
}

void remove_piece(Run& run, const Piece& piece) {
    const sip::Message& message = run.message();
    if (piece.alone) return run.edits.remove_header(message, *piece.field);
    // With the comma behind it, or for the last one the comma before it.
    const std::string_view list = piece.field->value;
    size_t from = static_cast<size_t>(piece.text.data() - list.data()), to = from + piece.text.size();
    const size_t comma = list.find(',', to);
    if (comma != list.npos) {
        to = list.find_first_not_of(" \t\r\n", comma + 1);
        if (to == list.npos) to = list.size();
    } else {
        const size_t before = list.rfind(',', from == 0 ? 0 : from - 1);
        if (before != list.npos) from = before;
    }
    run.edits.replace_part(message, list.substr(from, to - from), {});
}

// --- parameters: ";a=1;b" behind a value, "a=1, b=2" behind a scheme ("Digest") ----------------------------------
struct Parameter {
    std::string_view whole;  // with the separator before it, or for the first one behind a scheme the one after it
    std::string_view name;
};
// Where a separator stands outside of quotes and <>.
size_t next_separator(std::string_view text, size_t at, char separator) {
    bool quoted = false, angled = false;
    for (; at < text.size(); ++at) {
        const char c = text[at];
        if (quoted && c == '\\') ++at;
        else if (c == '"') quoted = !quoted;
        else if (!quoted && (c == '<' || c == '>')) angled = c == '<';
        else if (!quoted && !angled && c == separator) return at;
    }
    return text.size();
}
bool find_parameter(std::string_view text, std::string_view name, Split split, Parameter& out) {
    const char separator = split == Split::lists ? ';' : ',';
    size_t from = next_separator(text, 0, split == Split::lists ? separator : ' ');
    while (from < text.size()) {
        const size_t end = next_separator(text, from + 1, separator);
        const std::string_view param = text.substr(from + 1, end - from - 1);
        out.name = text::trim(param.substr(0, param.find('=')));
        if (text::iequals(out.name, name)) {
            const bool follows_scheme = text[from] == ' ' && end < text.size();
            const size_t next = follows_scheme ? std::min(text.find_first_not_of(' ', end + 1), text.size()) : end;
            out.whole = text.substr(from + (follows_scheme ? 1 : 0), next - from - (follows_scheme ? 1 : 0));
            return true;
        }
        from = end;
    }
    return false;
}
int remove_parameter(Run& run, const Piece& piece, std::string_view name, Split split) {
    Parameter found;
    if (!find_parameter(piece.text, name, split, found)) return -1;
    run.edits.replace_part(run.message(), found.whole, {});
    return 1;
}
int assign_parameter(Run& run, const Piece& piece, std::string_view name, std::string_view value, Split split) {
    const std::string_view equals = value.empty() ? "" : "=";
    Parameter found;
    if (find_parameter(piece.text, name, split, found)) {
        const size_t name_ends = static_cast<size_t>(found.name.data() - piece.text.data()) + found.name.size();
        const size_t ends = next_separator(piece.text, name_ends, split == Split::lists ? ';' : ',');
        run.edits.replace_part(run.message(), piece.text.substr(name_ends, ends - name_ends),
                               joined(run, equals, value));
        return 1;
    }
    const std::string_view separator = split == Split::lists ? ";" : ", ";
    run.edits.insert(
        run.message().offset_of(piece.text) + piece.text.size(),
        script::TextBuilder(run.arena()).append(separator).append(name).append(equals).append(value).take());
    return 1;
}

// The named piece and a value that is one line; nullopt: the call is wrong.
std::optional<Where> arguments(Run& run, const Args& args, std::string_view& value) {
    Where where;
    value = text::trim(args.text(run, 1));
    if (!parse_where(args.text(run, 0), where) || !is_one_line(value)) return std::nullopt;
    return where;
}

}  // namespace

Status prepare_header_value(Args& args) {
    const script::Value* const given = args.constant(0);
    Where where;
    if (given != nullptr && !parse_where(given->text, where))
        return Error{Errc::invalid, fmt::format("\"{}\" names no header value", text::printable(given->text)),
                     "\"Name\", \"Name[1]\", \"Name[-1]\", \"Name[*]\" or \"Name[1].param\""};
    return {};
}

Status prepare_place(Args& args) {
    Status known = prepare_header_value(args);
    const script::Value* const given = args.constant(0);
    if (known && given != nullptr && given->text.find('.') != std::string::npos)
        return Error{Errc::invalid, "a parameter is no place for a value", "assign_hf_value() adds parameters"};
    return known;
}
int append_value(Run& run, const Args& args) {
    std::string_view value;
    const auto where = arguments(run, args, value);
    if (!where || !where->param.empty() || value.empty()) return -1;
    const auto& all = pieces(run, where->name);
    const bool indexed = args.text(run, 0).find('[') != std::string_view::npos;
    const Piece* const piece = indexed ? at(all, where->index == 0 ? -1 : where->index) : nullptr;
    if (piece == nullptr && all.empty()) add_header(run, where->name, value);
    else if (piece == nullptr)
        run.edits.insert_after(run.message(), *all.back().field, header_line(run, where->name, value));
    else add_behind(run, *piece, value);
    return 1;
}

int insert_value(Run& run, const Args& args) {
    std::string_view value;
    const auto where = arguments(run, args, value);
    if (!where || !where->param.empty() || value.empty()) return -1;
    const auto& all = pieces(run, where->name);
    const bool indexed = args.text(run, 0).find('[') != std::string_view::npos;
    const Piece* const piece = indexed ? at(all, where->index) : nullptr;
    if (piece == nullptr && all.empty()) add_header(run, where->name, value);
    else if (piece == nullptr)
        run.edits.insert_before(run.message(), *all.front().field, header_line(run, where->name, value));
    else add_before(run, *piece, value);
    return 1;
}

namespace {
template <Split split>
int assign_one(Run& run, const Args& args) {
    std::string_view value;
    const auto where = arguments(run, args, value);
    if (!where) return -1;
    const Piece* const piece = at(pieces(run, where->name, split), where->index);
    if (piece == nullptr) return -1;
    if (!where->param.empty()) return assign_parameter(run, *piece, where->param, value, split);
    if (piece->text.empty()) add_behind(run, *piece, value);
    else if (value.empty() && split == Split::lists) remove_piece(run, *piece);
    else run.edits.replace_part(run.message(), piece->text, value);
    return 1;
}
template <Split split>
int remove_one(Run& run, const Args& args) {
    Where where;
    if (!parse_where(args.text(run, 0), where)) return -1;
    const auto& all = pieces(run, where.name, split);
    if (all.empty()) return -1;
    if (where.all && where.param.empty()) {
        const HeaderField* last = nullptr;
        for (const Piece& piece : all) {
            if (piece.field != last) run.edits.remove_header(run.message(), *piece.field);
            last = piece.field;
        }
        return 1;
    }
    const Piece* const piece = at(all, where.index);
    if (piece == nullptr) return -1;
    if (!where.param.empty()) return remove_parameter(run, *piece, where.param, split);
    remove_piece(run, *piece);
    return 1;
}
}  // namespace
int assign_value(Run& run, const Args& args) { return assign_one<Split::lists>(run, args); }
int assign_header(Run& run, const Args& args) { return assign_one<Split::headers>(run, args); }
int remove_value(Run& run, const Args& args) { return remove_one<Split::lists>(run, args); }
int remove_header(Run& run, const Args& args) { return remove_one<Split::headers>(run, args); }

int value_exists(Run& run, const Args& args) {
    const std::string_view wanted = text::trim(args.text(run, 1));
    for (const Piece& piece : pieces(run, args.text(run, 0)))
        if (text::iequals(piece.text, wanted)) return 1;
    return -1;
}

int include_value(Run& run, const Args& args) {
    const std::string_view name = args.text(run, 0), value = text::trim(args.text(run, 1));
    if (!is_token(name) || value.empty() || !is_one_line(value)) return -1;
    if (value_exists(run, args) > 0) return 1;
    const auto& all = pieces(run, name);
    if (all.empty()) add_header(run, name, value);
    else add_behind(run, all.back(), value);
    return 1;
}

int exclude_value(Run& run, const Args& args) {
    const std::string_view wanted = text::trim(args.text(run, 1));
    for (const Piece& piece : pieces(run, args.text(run, 0)))
        if (text::iequals(piece.text, wanted)) remove_piece(run, piece);
    return 1;
}

}  // namespace kahu::textopsx
