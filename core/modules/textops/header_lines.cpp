#include "core/modules/textops/header_lines.h"

namespace kahu::textops {

bool are_header_lines(std::string_view text) {
    bool first = true;
    while (!text.empty()) {
        const size_t end = text.find("\r\n");
        if (end == text.npos || end == 0) return false;
        const std::string_view line = text.substr(0, end);
        const bool folded = !first && (line.front() == ' ' || line.front() == '\t');
        const size_t colon = line.find(':');
        if ((!folded && (colon == line.npos || colon == 0)) || line.find_first_of("\r\n") != line.npos) return false;
        text.remove_prefix(end + 2);
        first = false;
    }
    return !first;
}

std::string_view as_header_lines(script::Run& run, std::string_view text) {
    if (are_header_lines(text)) return text;
    script::TextBuilder out(run.arena());
    char last = '\0';
    for (const char c : text) {
        if (c == '\n' && last != '\r') out.append('\r');
        out.append(c);
        last = c;
    }
    if (last == '\r') out.append('\n');
    else if (last != '\n') out.append("\r\n");
    const std::string_view lines = out.take();
    return are_header_lines(lines) ? lines : std::string_view();
}

Status prepare_header_lines(script::Args& args) {
    const script::Value* const constant = args.constant(0);
    if (constant == nullptr) return {};
    std::string_view text = constant->text;
    while (!text.empty() && (text.back() == '\r' || text.back() == '\n')) text.remove_suffix(1);
    if (!constant->is_text() || text.find(':') == text.npos || text.front() == ':')
        return Error{Errc::invalid, "not a header line", "\"Name: value\\r\\n\""};
    return {};
}

}  // namespace kahu::textops
