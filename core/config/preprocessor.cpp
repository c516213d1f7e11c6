#include "core/config/preprocessor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/base/fd.h"

namespace kahu::config {
namespace {

constexpr size_t kMaxLevels = 200;

// What configurations ask for to support several releases; we speak the language of this one.
constexpr std::pair<std::string_view, std::string_view> kPredefined[] = {{"KAMAILIO_5", ""},
                                                                         {"KAMAILIO_5_6", ""},
                                                                         {"KAMAILIO_5_6_3", ""},
                                                                         {"KAMAILIO_VERSION", "5006003"},
                                                                         {"KAHU_VERSION", "1000"}};

std::string folder_of(std::string_view path) {
    const size_t slash = path.rfind('/');
    return slash == path.npos ? std::string() : std::string(path.substr(0, slash + 1));
}

// The error's what is only the reason; not_found marks a file that is not there.
Result<std::string> read_file(const std::string& path, size_t at_most) {
    UniqueFd opened(path == "-" ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!opened)
        return Error{errno == ENOENT || errno == ENOTDIR ? Errc::not_found : Errc::io, std::strerror(errno), ""};
    struct stat info {};
    if (::fstat(opened.get(), &info) == 0 && S_ISDIR(info.st_mode)) return Error{Errc::io, "it is a folder", ""};
    std::string text;
    char buffer[16384];
    for (;;) {
        const ssize_t bytes = ::read(opened.get(), buffer, sizeof buffer);
        if (bytes < 0 && errno == EINTR) continue;
        if (bytes < 0) return Error{Errc::io, std::strerror(errno), ""};
        if (bytes == 0) return text;
        text.append(buffer, static_cast<size_t>(bytes));
        if (text.size() > at_most) return Error{Errc::invalid, fmt::format("it is larger than {} bytes", at_most), ""};
    }
}

}  // namespace

Preprocessor::Preprocessor(const ParseOptions& options, Diagnostics& diagnostics)
    : options_(options), diagnostics_(diagnostics) {
    for (const auto& [name, value] : kPredefined)
        defines_.set({std::string(name), std::string(value), true, Location{}});
    for (const std::string& given : options.defines) {
        const size_t equals = given.find('=');
        const bool has_value = equals != given.npos;
        defines_.set({given.substr(0, equals), has_value ? given.substr(equals + 1) : "", has_value, Location{}});
    }
    for (const std::string& text : options.subst) substitute("subst", text, Location{});
    for (const std::string& text : options.substdef) substitute("substdef", text, Location{});
    for (const std::string& text : options.substdefs) substitute("substdefs", text, Location{});
}

bool Preprocessor::open_file(const std::string& path) {
    Result<std::string> text = read_file(path, options_.max_file_bytes);
    if (!text) {
        const uint32_t file = diagnostics_.files.add(path);
        diagnostics_.error({file, 0, 0}, "the file could not be read: " + text.error().what);
        return false;
    }
    push_file(*std::move(text), path == "-" ? "standard input" : path);
    return true;
}

void Preprocessor::open_text(std::string_view text, std::string_view name) {
    push_file(std::string(text), std::string(name));
}

void Preprocessor::push_file(std::string text, const std::string& path) {
    const uint32_t file = diagnostics_.files.add(path);
    if (!grow(text.size(), {file, 0, 0})) return;
    auto owned = std::make_unique<const std::string>(std::move(text));
    Scanner scanner(*owned, file, diagnostics_);
    levels_.push_back({std::move(owned), scanner, folder_of(path), "", conditions_.size()});
    ++files_;
}

bool Preprocessor::grow(size_t bytes, const Location& at) {
    total_bytes_ += bytes;
    if (total_bytes_ <= options_.max_total_bytes) return true;
    diagnostics_.error(at, fmt::format("the configuration is larger than {} bytes", options_.max_total_bytes),
                       "do defines or files contain each other?");
    levels_.clear();
    conditions_.clear();
    return false;
}

// False: `word` is no define with a value, or the one being expanded now (it then stands for itself).
bool Preprocessor::push_define(const RawToken& word) {
    const Define* define = defines_.find(word.text);
    if (!define || !define->has_value || levels_.size() >= kMaxLevels) return false;
    for (auto level = levels_.rbegin(); level != levels_.rend() && !level->define.empty(); ++level)
        if (level->define == word.text) return false;
    if (!grow(define->value.size() + 1, word.at)) return true;
    auto owned = std::make_unique<const std::string>(define->value);
    Scanner scanner(*owned, word.at, diagnostics_);
    levels_.push_back({std::move(owned), scanner, levels_.back().folder, word.text, conditions_.size()});
    inherits_ = true;
    inherited_space_ = word.space_before;
    inherited_line_start_ = word.line_start;
    return true;
}

void Preprocessor::pop_level() {
    while (conditions_.size() > levels_.back().conditions) {
        diagnostics_.error(conditions_.back().at,
                           fmt::format("this #!{} is not closed in its file", conditions_.back().directive),
                           "#!endif is missing");
        conditions_.pop_back();
    }
    levels_.pop_back();
}

RawToken Preprocessor::next() {
    while (!levels_.empty() && !diagnostics_.full()) {
        RawToken token = levels_.back().scanner.next();
        if (token.kind == RawKind::end) {
            if (levels_.size() == 1) end_ = token.at;
            pop_level();
            continue;
        }
        if (token.kind == RawKind::directive) {
            directive(token);
            continue;
        }
        if (inherits_) {
            token.space_before = inherited_space_;
            token.line_start = inherited_line_start_;
            inherits_ = false;
        }
        if (token.kind == RawKind::word) {
            if (token.text == "include_file" || token.text == "import_file") {
                include(token);
                continue;
            }
            if (push_define(token)) continue;
            names_module_ = token.text == "loadmodule" || token.text == "loadmodulex";
        }
        if (token.kind == RawKind::text) finish_text(token);
        return token;
    }
    RawToken end;
    end.at = end.end = end_;
    end.space_before = end.line_start = true;
    return end;
}

void Preprocessor::allow_regex() {
    if (!levels_.empty()) levels_.back().scanner.allow_regex();
}

void Preprocessor::finish_text(RawToken& token) {
    for (const Substitution& substitution : substitutions_) token.text = substitution.apply(token.text);
    if (!names_module_) return;
    names_module_ = false;
    const std::string name = LoadModule{.path = token.text}.name();
    if (!name.empty()) defines_.set({"MOD_" + name, "", false, token.at});
}

void Preprocessor::include(const RawToken& word) {
    const RawToken name = next();
    if (name.kind != RawKind::text) {
        diagnostics_.error(word.at, fmt::format("{} is not followed by a file name", word.text),
                           fmt::format("{} \"local.cfg\"", word.text));
        return;
    }
    if (!options_.allow_files || name.text.empty() || name.text.find('\0') != name.text.npos) {
        diagnostics_.error(name.at, "this file may not be included here");
        return;
    }
    const auto depth = std::ranges::count_if(levels_, [](const Level& level) { return level.define.empty(); });
    if (static_cast<size_t>(depth) > options_.max_include_depth || files_ >= options_.max_files) {
        diagnostics_.error(name.at,
                           fmt::format("files are included more than {} deep, or more than {} of them",
                                       options_.max_include_depth, options_.max_files),
                           "does a file include itself?");
        levels_.clear();
        conditions_.clear();
        return;
    }
    std::string path = name.text[0] == '/' ? name.text : levels_.back().folder + name.text;
    Result<std::string> text = read_file(path, options_.max_file_bytes);
    if (!text && text.error().code == Errc::not_found && name.text[0] != '/' && path != name.text) {
        if (Result<std::string> other = read_file(name.text, options_.max_file_bytes); other) {
            path = name.text;
            text = std::move(other);
        }
    }
    if (text) push_file(*std::move(text), path);
    else if (word.text == "include_file" || text.error().code != Errc::not_found)
        diagnostics_.error(name.at, fmt::format("{} could not be read: {}", path, text.error().what),
                           "import_file skips a file that is not there");
}

}  // namespace kahu::config
