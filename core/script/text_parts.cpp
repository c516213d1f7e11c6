#include "core/script/text_parts.h"

#include "core/base/text.h"

namespace kahu::script {

bool next_text_param(std::string_view& rest, char separator, TextParam& out) {
    while (!rest.empty()) {
        size_t end = 0;
        for (bool quoted = false; end < rest.size() && (quoted || (rest[end] != separator && rest[end] != ',')); ++end)
            if (rest[end] == '"') quoted = !quoted;
        const std::string_view whole = text::trim(rest.substr(0, end));
        const bool to_the_end = end == rest.size();
        rest.remove_prefix(to_the_end || rest[end] != separator ? rest.size() : end + 1);
        if (whole.empty() && to_the_end) return false;
        const size_t equals = whole.find('=');
        out.name = text::trim(whole.substr(0, equals));
        out.value = equals == whole.npos ? std::string_view() : text::trim(whole.substr(equals + 1));
        if (out.value.size() >= 2 && out.value.front() == '"' && out.value.back() == '"')
            out.value = out.value.substr(1, out.value.size() - 2);
        return true;
    }
    return false;
}

TextParam find_text_param(std::string_view list, char separator, std::string_view name) {
    for (TextParam param; next_text_param(list, separator, param);)
        if (text::iequals(param.name, name)) return param;
    return {};
}

bool next_line(std::string_view& rest, std::string_view& line) {
    if (rest.empty()) return false;
    const size_t end = rest.find('\n');
    line = rest.substr(0, end);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
    return true;
}

}  // namespace kahu::script
