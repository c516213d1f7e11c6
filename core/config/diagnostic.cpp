#include "core/config/diagnostic.h"

#include <fmt/format.h>

namespace kahu::config {

void Diagnostics::add(Severity severity, const Location& at, std::string message, std::string hint) {
    const bool is_error = severity == Severity::error;
    size_t& count = is_error ? errors_ : warnings_;
    if (++count <= (is_error ? kMaxKeptErrors : kMaxWarnings))
        kept_.push_back({at, severity, std::move(message), std::move(hint)});
}

void Diagnostics::error(const Location& at, std::string message, std::string hint) {
    add(Severity::error, at, std::move(message), std::move(hint));
}

void Diagnostics::warning(const Location& at, std::string message, std::string hint) {
    add(Severity::warning, at, std::move(message), std::move(hint));
}

void Diagnostics::withdraw(const Location& at) {
    if (kept_.empty() || kept_.back().severity != Severity::error || kept_.back().at != at) return;
    kept_.pop_back();
    --errors_;
}

std::string Diagnostics::text(const Diagnostic& diagnostic) const {
    const std::string_view kind = diagnostic.severity == Severity::warning ? "warning: " : "";
    const std::string_view dash = diagnostic.hint.empty() ? "" : " — ";
    return fmt::format("{}: {}{}{}{}", files.text(diagnostic.at), kind, diagnostic.message, dash, diagnostic.hint);
}

std::string Diagnostics::text() const {
    std::string out;
    for (const Diagnostic& diagnostic : kept_) out += text(diagnostic) + '\n';
    if (errors_ > kMaxKeptErrors) out += fmt::format("... and {} more errors\n", errors_ - kMaxKeptErrors);
    return out;
}

Error Diagnostics::as_error() const {
    for (const Diagnostic& diagnostic : kept_) {
        if (diagnostic.severity != Severity::error) continue;
        Error error{Errc::invalid, fmt::format("{}: {}", files.text(diagnostic.at), diagnostic.message),
                    diagnostic.hint};
        if (errors_ > 1) error.hint += fmt::format("{}{} more", error.hint.empty() ? "" : "; ", errors_ - 1);
        return error;
    }
    return {Errc::invalid, "the configuration is not valid", ""};
}

}  // namespace kahu::config
